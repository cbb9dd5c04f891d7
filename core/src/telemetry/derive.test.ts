import { describe, expect, it } from "vitest";
import { applyRecord, emptyRun } from "../engine/run-state.ts";
import { type AnyWorkflow, defineStep, defineWorkflow, done, emit, type, wait, waitForEvent } from "../index.ts";
import { type EngineRun, engineRun } from "../testing/engine-run.ts";
import { eventsOfCommit } from "./derive.ts";
import type { TelemetryEvent, TelemetryName } from "./events.ts";

const step = <const Name extends string>(name: Name, options: object = {}) =>
  defineStep({ name, run: () => null, ...options });

function begin(workflow: AnyWorkflow, input = "{}"): EngineRun {
  const run = engineRun(workflow);
  start(run, "s", input);
  return run;
}

function start(run: EngineRun, commandId: string, input = "{}"): void {
  const { workflow, version, fingerprint } = run.graph;
  const info = { workflow, version, fingerprint, telemetry: { request: "r-1" } };
  run.do({ type: "start", commandId, info, input });
}

function complete(run: EngineRun, name: string, event = "done", startedAt = run.now): unknown {
  const attempt = run.step(name)?.attempt ?? 1;
  return run.do({ type: "outcome", step: name, attempt, event, startedAt });
}

function fail(run: EngineRun, name: string, retryable = true): unknown {
  const error = { name: "Error", message: "no", stack: "Error: no\n  at x" };
  return run.do({ type: "failure", step: name, attempt: run.step(name)?.attempt ?? 1, error, retryable, jitter: 0 });
}

/** What each record of a run tells, in order. */
function toldBy(run: EngineRun, attemptMs?: (step: string) => number | undefined): readonly TelemetryEvent[][] {
  const state = emptyRun(run.state.id);
  return run.records.map((record) => {
    const context = {
      state,
      graph: run.graph,
      runner: "local",
      now: record.changes.at + 2,
      input: record.payloads.input,
    };
    const events = eventsOfCommit({ ...context, ...(attemptMs ? { attemptMs } : {}) }, record.changes);
    applyRecord(state, record, run.graph);
    return [...events];
  });
}

/** The events of one name, with what they say. */
function find<Name extends TelemetryName>(run: EngineRun, name: Name) {
  return toldBy(run)
    .flat()
    .filter((event) => event.name === name) as unknown as TelemetryEvent<Name>[];
}

const facts = { workflow: "flow", version: 1, id: "i", run: 1, telemetry: { request: "r-1" } };

describe("a run that completes", () => {
  const [a, b, c] = [step("a"), step("b"), step("c")];
  const flow = defineWorkflow({
    name: "flow",
    input: type<object>(),
    start: a,
    transitions: ({ on }) => [on(a, { done: [b, c] }), on(b, { done }), on(c, { done })],
  });

  it("tells each transition once, in the order in which it happened", () => {
    const run = begin(flow, `{"items":[],"total":3}`);
    run.now += 5;
    complete(run, "a", "done", run.now - 5);
    complete(run, "b");
    run.now += 100;
    complete(run, "c");
    expect(toldBy(run).map((events) => events.map(({ name }) => name))).toEqual([
      ["workflow:start", "engine:advance"],
      ["step:stop", "workflow:transition", "engine:advance"],
      ["step:stop", "workflow:transition", "engine:advance"],
      ["step:stop", "workflow:transition", "engine:advance", "workflow:stop"],
    ]);
    expect(find(run, "workflow:start")).toEqual([
      {
        name: "workflow:start",
        measurements: { systemTime: 1_000 },
        metadata: { ...facts, initialSteps: ["a"], contextKeys: ["items", "total"], runner: "local" },
      },
    ]);
    expect(find(run, "step:stop")[0]).toEqual({
      name: "step:stop",
      measurements: { systemTime: 1_005, durationMs: 5 },
      metadata: { ...facts, step: "a", attempt: 1, event: "done", transitionsTo: ["b", "c"] },
    });
    expect(find(run, "workflow:transition").map(({ metadata }) => [metadata.targets, metadata.fanOut])).toEqual([
      [["b", "c"], true],
      [["done"], false],
      [["done"], false],
    ]);
    expect(
      find(run, "engine:advance").map(({ measurements, metadata }) => ({ ...measurements, ...metadata })),
    ).toMatchObject([
      {
        statusBefore: "pending",
        statusAfter: "running",
        iteration: 1,
        activeSteps: 1,
        completedSteps: 0,
        durationMs: 2,
      },
      { statusBefore: "running", statusAfter: "running", iteration: 2, activeSteps: 2, completedSteps: 1 },
      { iteration: 3, activeSteps: 1 },
      { statusBefore: "running", statusAfter: "completed", iteration: 4, activeSteps: 0, completedSteps: 1 },
    ]);
    expect(find(run, "workflow:stop")[0]).toMatchObject({
      measurements: { durationMs: 105, stepCount: 3, advanceCount: 4 },
      metadata: { completedSteps: ["a", "b", "c"], runner: "local" },
    });
  });

  it("takes an attempt's duration from the driver that saw it, rather than from the commit", () => {
    const run = begin(flow);
    run.now += 50;
    complete(run, "a", "done", run.now - 50);
    const stops = toldBy(run, (name) => (name === "a" ? 7 : undefined)).flat();
    expect(stops.find(({ name }) => name === "step:stop")?.measurements).toMatchObject({ durationMs: 7 });
  });

  it("counts the next run of a key from its own start", () => {
    const run = begin(flow);
    for (const name of ["a", "b", "c"]) complete(run, name);
    run.now += 1_000;
    start(run, "again");
    complete(run, "a");
    expect(find(run, "workflow:start").map(({ metadata }) => metadata.run)).toEqual([1, 2]);
    const last = find(run, "engine:advance").slice(-2);
    expect(last.map(({ metadata }) => [metadata.iteration, metadata.statusBefore])).toEqual([
      [1, "pending"],
      [2, "running"],
    ]);
  });

  it("makes only what is wanted, and does not look at the input for it", () => {
    const run = begin(flow);
    const [record] = run.records;
    const context = { state: emptyRun("i"), graph: run.graph, runner: "local", now: 0, input: "not JSON" };
    const events = eventsOfCommit(context, record!.changes, (name) => name === "engine:advance");
    expect(events.map(({ name }) => name)).toEqual(["engine:advance"]);
  });

  it("does not give handlers what the state holds", () => {
    const run = begin(flow);
    expect(find(run, "workflow:start")[0]?.metadata.telemetry).not.toBe(run.state.info?.telemetry);
  });
});

describe("failures", () => {
  const shaky = step("shaky", { retry: { maxAttempts: 2, initial: { seconds: 1 }, jitter: false } });
  const undone = step("undone", { compensate: () => {} });
  const flow = defineWorkflow({
    name: "flow",
    input: type<object>(),
    start: undone,
    transitions: ({ on }) => [on(undone, { done: shaky }), on(shaky, { done })],
  });

  it("tells of the error, of the retry, and of the failed run", () => {
    const run = begin(flow);
    complete(run, "undone");
    fail(run, "shaky");
    run.now += 1_000;
    run.do({ type: "wake" });
    fail(run, "shaky");
    const error = { kind: "error", reason: "no", code: undefined, stack: "Error: no\n  at x" };
    expect(find(run, "step:exception").map(({ metadata }) => metadata)).toEqual([
      { ...facts, ...error, step: "shaky", attempt: 1, willRetry: true },
      { ...facts, ...error, step: "shaky", attempt: 2, willRetry: false },
    ]);
    expect(find(run, "step:retry")).toMatchObject([
      { measurements: { delayMs: 1_000 }, metadata: { step: "shaky", attempt: 2, reason: "failure" } },
    ]);
    run.do({ type: "compensated", step: "undone", attempt: 1 });
    expect(find(run, "step:compensate").map(({ metadata }) => metadata.status)).toEqual(["active", "completed"]);
    expect(find(run, "workflow:exception")).toMatchObject([
      {
        measurements: { durationMs: 1_000, stepCount: 1 },
        metadata: { ...error, failedStep: "shaky", runner: "local" },
      },
    ]);
  });

  it("tells of a compensation that is tried again and given up", () => {
    const run = begin(flow);
    complete(run, "undone");
    fail(run, "shaky", false);
    const report = {
      type: "compensated",
      step: "undone",
      error: { name: "Error", message: "stuck" },
      jitter: 0,
    } as const;
    run.do({ ...report, attempt: 1, retryable: true });
    run.do({ ...report, attempt: 2, retryable: false });
    const told = find(run, "step:compensate").map(({ measurements: { failures }, metadata }) => {
      return [metadata.status, metadata.attempt, failures, metadata.reason];
    });
    expect(told).toEqual([
      ["active", 1, 0, undefined],
      ["active", 2, 1, "stuck"],
      ["failed", 3, 2, "stuck"],
    ]);
  });

  it("tells of a retried run from the failed step on, and of no step twice", () => {
    const run = begin(flow);
    complete(run, "undone");
    fail(run, "shaky", false);
    run.do({ type: "compensated", step: "undone", attempt: 1 });
    const before = run.records.length;
    run.do({ type: "retry", commandId: "r" });
    complete(run, "undone");
    complete(run, "shaky");
    const names = toldBy(run).slice(before).flat();
    expect(names.map(({ name }) => name).filter((name) => name !== "engine:advance")).toEqual([
      "step:stop",
      "workflow:transition",
      "step:stop",
      "workflow:transition",
      "workflow:stop",
    ]);
  });

  it("tells of interruptions as retries, and of the last as what it is", () => {
    const run = begin(flow);
    for (let times = 0; run.step("undone")?.status === "active"; times++) {
      expect(times).toBeLessThan(100);
      run.do({ type: "interrupted" });
    }
    expect(find(run, "step:retry").every(({ metadata }) => metadata.reason === "interruption")).toBe(true);
    expect(find(run, "step:exception")).toMatchObject([
      { metadata: { kind: "interruption", code: "MAX_INTERRUPTIONS", willRetry: false } },
    ]);
  });

  it("calls a timeout by its name", () => {
    const run = begin(flow);
    const error = { name: "HephaestusError", code: "STEP_TIMEOUT", message: "slow" };
    run.do({ type: "failure", step: "undone", attempt: 1, error, retryable: false, jitter: 0 });
    expect(find(run, "step:exception")[0]?.metadata.kind).toBe("timeout");
  });

  it("tells of a failure route as a transition without an event", () => {
    const rescue = step("rescue");
    const risky = step("risky", { onFailure: rescue });
    const routed = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: risky,
      transitions: ({ on }) => [on(risky, { done }), on(rescue, { done })],
    });
    const run = begin(routed);
    fail(run, "risky", false);
    expect(find(run, "workflow:transition").map(({ metadata }) => [metadata.event, metadata.targets])).toEqual([
      [undefined, ["rescue"]],
    ]);
  });

  it("tells of what a cancel takes away", () => {
    const run = begin(flow);
    run.do({ type: "cancel", commandId: "c" });
    run.do({ type: "aborted", step: "undone", attempt: 1, begun: false });
    expect(find(run, "step:cancel").map(({ metadata }) => metadata.step)).toEqual(["undone"]);
    expect(find(run, "workflow:cancel")).toHaveLength(1);
    expect(find(run, "step:exception")).toEqual([]);
  });
});

describe("runs that are retried", () => {
  const names = (run: EngineRun) => (toldBy(run).at(-1) ?? []).map(({ name }) => name);

  it("tells then of where a step leads that completed while its run was ending", () => {
    const [slow, shaky, after] = [step("slow"), step("shaky"), step("after")];
    const flow = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: [slow, shaky],
      transitions: ({ on }) => [on(slow, { done: after }), on(shaky, { done }), on(after, { done })],
    });
    const run = begin(flow);
    fail(run, "shaky", false);
    complete(run, "slow");
    expect(names(run)).toEqual(["step:stop", "engine:advance", "workflow:exception"]);
    run.do({ type: "retry", commandId: "r" });
    expect(names(run)).toEqual(["workflow:transition", "engine:advance"]);
    expect(find(run, "workflow:transition")[0]?.metadata).toMatchObject({ fromStep: "slow", targets: ["after"] });
  });

  it("tells again of a step that fails again at once", () => {
    const lost = step("lost", { onFailure: "skip" });
    const [kept, join] = [step("kept"), step("join", { join: { atLeast: 2 } })];
    const flow = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: [lost, kept],
      transitions: ({ on }) => [on(lost, { done: join }), on(kept, { done: join }), on(join, { done })],
    });
    const run = begin(flow);
    fail(run, "lost", false);
    complete(run, "kept");
    run.do({ type: "retry", commandId: "r" });
    expect(find(run, "step:exception").map(({ metadata }) => [metadata.step, metadata.attempt, metadata.code])).toEqual(
      [
        ["lost", 1, undefined],
        ["join", 1, "JOIN_UNFILLED"],
        ["join", 2, "JOIN_UNFILLED"],
      ],
    );
    expect(find(run, "workflow:exception")).toHaveLength(2);
  });
});

describe("waiting", () => {
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() }, timeout: { seconds: 5 } });
  const nap = wait({ name: "nap", for: { seconds: 1 } });
  const flow = defineWorkflow({
    name: "flow",
    input: type<object>(),
    start: [hold, nap],
    transitions: ({ on }) => [on(hold, { go: done, timeout: done }), on(nap, { done })],
  });

  it("tells of waits that begin, and of what ended them", () => {
    const run = begin(flow);
    run.do({ type: "event", commandId: "e", event: "go" });
    run.now += 1_000;
    run.do({ type: "wake" });
    expect(find(run, "step:async").map(({ metadata }) => [metadata.step, metadata.wakeAt])).toEqual([
      ["hold", 6_000],
      ["nap", 2_000],
    ]);
    expect(find(run, "step:resume").map(({ metadata }) => [metadata.step, metadata.event, metadata.source])).toEqual([
      ["hold", "go", "external"],
      ["nap", "done", "timeout"],
    ]);
    expect(find(run, "step:stop")).toEqual([]);
  });

  it("measures the wait of a step that is pending, and its attempt apart", () => {
    const asks = defineStep({ name: "asks", events: ["answered"], run: () => emit("answered") });
    const asking = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: asks,
      transitions: ({ on }) => [on(asks, { answered: done })],
    });
    const run = begin(asking);
    run.do({ type: "pending", step: "asks", attempt: 1 });
    run.now += 300;
    run.do({ type: "event", commandId: "e", event: "answered" });
    const told = toldBy(run, () => 12).flat();
    expect(told.find(({ name }) => name === "step:async")?.measurements).toMatchObject({ durationMs: 12 });
    expect(told.find(({ name }) => name === "step:resume")?.measurements).toMatchObject({ waitDurationMs: 300 });
  });

  it("tells of both when the time was over at once", () => {
    const first = step("first");
    const blink = wait({ name: "blink", for: { seconds: 0 } });
    const blinking = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: first,
      transitions: ({ on }) => [on(first, { done: blink }), on(blink, { done })],
    });
    const run = begin(blinking);
    run.send({ type: "outcome", step: "first", attempt: 1, event: "done", startedAt: 0 }, { type: "wake" });
    expect(find(run, "step:async")).toHaveLength(1);
    expect(find(run, "step:resume")).toMatchObject([
      { measurements: { waitDurationMs: 0 }, metadata: { step: "blink", source: "timeout" } },
    ]);
  });

  it("tells of both when the event was there before the step", () => {
    const first = step("first");
    const late = defineWorkflow({
      name: "flow",
      input: type<object>(),
      start: first,
      transitions: ({ on }) => [on(first, { done: hold }), on(hold, { go: done, timeout: done })],
    });
    const run = begin(late);
    run.do({ type: "event", commandId: "e", event: "go" });
    complete(run, "first");
    const told = toldBy(run)
      .at(-1)
      ?.map(({ name }) => name);
    expect(told).toEqual([
      "step:stop",
      "workflow:transition",
      "step:async",
      "step:resume",
      "workflow:transition",
      "engine:advance",
      "workflow:stop",
    ]);
    expect(find(run, "step:resume")[0]?.measurements.waitDurationMs).toBe(0);
  });
});

describe("choices", () => {
  const [a, b, c] = [step("a"), step("b"), step("c")];
  const flow = defineWorkflow({
    name: "flow",
    input: type<object>(),
    start: a,
    transitions: ({ on, choose }) => [on(a, { done: choose([b, c], () => b) }), on(b, { done }), on(c, { done })],
  });

  it("tells of the transition when the choice is made, and of the end of the attempt before", () => {
    const run = begin(flow);
    complete(run, "a");
    run.do({ type: "choice", step: "a", targets: ["b"] });
    const told = toldBy(run).slice(1);
    expect(told.map((events) => events.map(({ name }) => name))).toEqual([
      ["step:stop", "engine:advance"],
      ["workflow:transition", "engine:advance"],
    ]);
    expect(find(run, "workflow:transition")[0]?.metadata.targets).toEqual(["b"]);
  });

  it("tells of a choice that fails as an error of its step", () => {
    const run = begin(flow);
    complete(run, "a");
    run.do({ type: "choice", step: "a", targets: ["nowhere"] });
    expect(find(run, "step:exception")).toMatchObject([{ metadata: { code: "CHOICE_UNDECLARED", willRetry: false } }]);
    expect(find(run, "step:stop")).toHaveLength(1);
  });
});
