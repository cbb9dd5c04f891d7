import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonText } from "../definition/json.ts";
import { RETRY_DEFAULT } from "../definition/retry-policy.ts";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, emit, type RetryPolicy } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";
import { MAX_INTERRUPTIONS, SERIAL_INTERRUPTIONS } from "./limits.ts";
import { backoffMs } from "./retry.ts";

const any = type<unknown>();

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start();
  return run;
}

/** A workflow of one step. */
function single(retry?: RetryPolicy, more: object = {}): AnyWorkflow {
  const step = defineStep({ name: "step", run: () => {}, ...(retry ? { retry } : {}), ...more });
  return defineWorkflow({
    name: "single",
    input: any,
    start: step,
    transitions: ({ on }) => [on(step, { done: done })],
  });
}

/** Steps side by side. */
function side(...names: string[]): AnyWorkflow {
  const steps = names.map((name) => defineStep({ name, run: () => {} }));
  return defineWorkflow({
    name: "side",
    input: any,
    start: steps,
    transitions: ({ on }) => steps.map((step) => on(step, { done: done })),
  });
}

const interrupted = (run: EngineRun, ...steps: string[]) =>
  run.do({ type: "interrupted", ...(steps.length > 0 ? { steps } : {}) });

describe("a failed attempt", () => {
  it("is followed by another after the back-off, under a new token", () => {
    const run = begun(single({ maxAttempts: 3, initial: { seconds: 1 }, jitter: false }));
    run.fails("step", { error: storedError("first") });
    expect(run.step("step")).toEqual({
      status: "active",
      failures: 1,
      attempt: 2,
      wakeAt: 2_000,
      error: { name: "Error", message: "first" },
    });
    expect(run.state.status).toBe("running");
    expect(run.pending).toMatchObject({ run: [], wakeAt: 2_000 });
    run.pass(999);
    expect(run.pending.run).toEqual([]);
    run.pass(1);
    expect(run.pending).toMatchObject({ run: ["step"], wakeAt: undefined });
    run.ends("step");
    expect(run.step("step")).toMatchObject({ status: "completed", attempt: 2, failures: 1 });
  });

  it("is one of maxAttempts: then the step fails with its last error and the run with it", () => {
    const run = begun(single({ maxAttempts: 3, initial: { milliseconds: 0 } }));
    for (const message of ["one", "two", "three"]) {
      expect(run.state.status).toBe("running");
      run.fails("step", { error: storedError(message) });
      run.pass(60_000);
    }
    expect(run.step("step")).toMatchObject({ status: "failed", failures: 3, error: { message: "three" } });
    expect(run.state).toMatchObject({
      status: "failed",
      ending: { outcome: "failed", step: "step", error: { message: "three" } },
    });
    expect(run.header).toMatchObject({ status: "failed", error: { message: "three" } });
  });

  it("that is not retryable fails the step at once", () => {
    const run = begun(single({ maxAttempts: 5 }));
    run.fails("step", { retryable: false });
    expect(run.step("step")).toMatchObject({ status: "failed", failures: 1 });
  });

  it("that is not the current one changes nothing: its result comes too late", () => {
    const run = begun(single());
    run.fails("step");
    const { revision } = run.state;
    for (const attempt of [1, 3]) {
      expect(run.ends("step", "done", { attempt })).toBe("ignored");
      expect(run.fails("step", { attempt })).toBe("ignored");
      expect(run.do({ type: "pending", step: "step", attempt })).toBe("ignored");
      expect(run.do({ type: "aborted", step: "step", attempt, begun: true })).toBe("ignored");
      expect(run.do({ type: "checkpoint", step: "step", attempt, name: "c" })).toBe("ignored");
    }
    expect(run.ends("nobody")).toBe("ignored");
    expect(run.state.revision).toBe(revision);
  });

  it("that belongs to a run before changes nothing in the next one", () => {
    const run = begun(single({ maxAttempts: 1 }));
    run.fails("step");
    run.start();
    expect(run.ends("step", "done", { run: 1 })).toBe("ignored");
    expect(run.state).toMatchObject({ run: 2, status: "running" });
    expect(run.ends("step", "done", { run: 2 })).toBe("recorded");
  });
});

describe("the back-off", () => {
  const waits = (policy: RetryPolicy, jitter: number, count = 4) => {
    const { retry } = single({ jitter: false, ...policy }).graph.nodes[0]!;
    return Array.from({ length: count }, (_, index) => backoffMs(retry, index + 1, jitter));
  };

  it("doubles, grows by the same, or stays, up to the longest", () => {
    const initial = { seconds: 1 };
    expect(waits({ initial, backoff: "exponential" }, 0)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits({ initial, backoff: "linear" }, 0)).toEqual([1_000, 2_000, 3_000, 4_000]);
    expect(waits({ initial, backoff: "constant" }, 0)).toEqual([1_000, 1_000, 1_000, 1_000]);
    expect(waits({ initial, max: { seconds: 3 } }, 0)).toEqual([1_000, 2_000, 3_000, 3_000]);
  });

  it("is the library's where nobody says otherwise: 5 attempts, exponential, at most 60 s, with jitter", () => {
    expect(single().graph.nodes[0]!.retry).toEqual(RETRY_DEFAULT);
    expect(RETRY_DEFAULT).toMatchObject({ maxAttempts: 5, backoff: "exponential", maxMs: 60_000, jitter: true });
  });

  it("with jitter lies between half and the whole of its length", () => {
    const policies = fc.record({
      backoff: fc.constantFrom("exponential" as const, "linear" as const, "constant" as const),
      initialMs: fc.nat(100_000),
      maxMs: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (policy, n, jitter) => {
          const plain = backoffMs({ ...policy, maxAttempts: n, jitter: false }, n, jitter);
          const spread = backoffMs({ ...policy, maxAttempts: n, jitter: true }, n, jitter);
          expect(plain).toBeLessThanOrEqual(policy.maxMs);
          expect(spread).toBeGreaterThanOrEqual(Math.floor(plain / 2));
          expect(spread).toBeLessThanOrEqual(plain);
          expect(Number.isSafeInteger(spread)).toBe(true);
        },
      ),
    );
  });

  it("uses all of its range", () => {
    const { retry } = single({ initial: { seconds: 1 } }).graph.nodes[0]!;
    expect([0, 0.5, 1].map((jitter) => backoffMs(retry, 1, jitter))).toEqual([500, 750, 1_000]);
  });

  it("is resolved most specific first: step, workflow, library, each field by itself", () => {
    const step = defineStep({ name: "step", run: () => {}, retry: { maxAttempts: 2 } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      retry: { maxAttempts: 9, backoff: "linear" },
      start: step,
      transitions: ({ on }) => [on(step, { done: done })],
    });
    expect(flow.graph.nodes[0]!.retry).toEqual({ ...RETRY_DEFAULT, maxAttempts: 2, backoff: "linear" });
  });
});

describe("an interruption", () => {
  it("gives the attempt a new token and counts apart from failures", () => {
    const run = begun(single({ maxAttempts: 2 }));
    interrupted(run);
    expect(run.step("step")).toEqual({ status: "active", attempt: 2, interruptions: 1, unknown: true });
    expect(run.ends("step", "done", { attempt: 1 })).toBe("ignored");
    expect(run.pending.run).toEqual(["step"]);
    run.fails("step");
    expect(run.step("step")).toMatchObject({ status: "active", failures: 1, interruptions: 1, attempt: 3 });
  });

  it("is counted for what may have been running, and for nothing else", () => {
    const run = begun(side("runs", "backs_off", "over"));
    run.fails("backs_off");
    run.ends("over");
    interrupted(run);
    expect(run.step("runs")).toMatchObject({ attempt: 2, interruptions: 1 });
    expect(run.step("backs_off")?.interruptions).toBeUndefined();
    expect(run.step("over")?.interruptions).toBeUndefined();
  });

  it("can be told of some steps alone", () => {
    const run = begun(side("a", "b"));
    interrupted(run, "b");
    expect([run.step("a")?.interruptions, run.step("b")?.interruptions]).toEqual([undefined, 1]);
  });

  it(`that comes ${MAX_INTERRUPTIONS} times fails the step`, () => {
    const run = begun(single());
    for (let count = 1; count <= MAX_INTERRUPTIONS; count++) {
      expect(run.state.status).toBe("running");
      interrupted(run);
    }
    expect(run.step("step")).toMatchObject({ status: "failed", interruptions: MAX_INTERRUPTIONS });
    expect(run.state).toMatchObject({ status: "failed", ending: { error: { code: "MAX_INTERRUPTIONS" } } });
  });

  it("from the second on makes steps run one at a time, so that only the guilty one is counted", () => {
    const run = begun(side("innocent", "guilty", "other"));
    for (let count = 0; count < SERIAL_INTERRUPTIONS; count++) {
      expect(run.pending.serial).toBe(false);
      interrupted(run);
    }
    expect(run.pending).toMatchObject({ serial: true, run: ["innocent", "guilty", "other"] });
    run.ends("innocent");
    expect(run.pending).toMatchObject({ serial: true, run: ["guilty", "other"] });
    for (let count = SERIAL_INTERRUPTIONS; count < MAX_INTERRUPTIONS; count++) interrupted(run);
    expect(run.step("guilty")).toMatchObject({ status: "failed", interruptions: MAX_INTERRUPTIONS });
    expect(run.step("other")).toMatchObject({ status: "active", interruptions: SERIAL_INTERRUPTIONS });
  });

  it("ends being counted in series when the guilty step is over", () => {
    const run = begun(side("a", "b"));
    interrupted(run, "a");
    interrupted(run, "a");
    expect(run.pending.serial).toBe(true);
    run.ends("a");
    expect(run.pending.serial).toBe(false);
  });

  it("during a pause is held back until the run goes on", () => {
    const run = begun(single());
    run.control("pause");
    interrupted(run);
    expect(run.pending.run).toEqual([]);
    run.control("unpause");
    expect(run.pending.run).toEqual(["step"]);
    expect(run.step("step")).toMatchObject({ attempt: 2, interruptions: 1 });
  });
});

describe("a runner that closes", () => {
  const given = (run: EngineRun, begun: boolean) => run.do({ type: "aborted", step: "step", attempt: 1, begun });

  it("gives back what has begun under a new token, uncounted, for whoever takes the run next", () => {
    const run = begun(single());
    expect(given(run, true)).toBe("recorded");
    interrupted(run);
    expect(run.pending).toMatchObject({ run: [], wakeAt: run.now });
    run.pass(0);
    expect(run.step("step")).toEqual({ status: "active", attempt: 2, unknown: true });
    expect(run.pending.run).toEqual(["step"]);
  });

  it("gives back what has not begun as it was", () => {
    const run = begun(single());
    given(run, false);
    interrupted(run);
    run.pass(0);
    expect(run.step("step")).toEqual({ status: "active" });
  });

  it("gives back, while the run is paused, what is then held back", () => {
    const run = begun(single());
    run.control("pause");
    given(run, false);
    run.pass(0);
    expect(run.pending.run).toEqual([]);
    run.control("unpause");
    expect(run.pending.run).toEqual(["step"]);
  });
});

describe("an outcome", () => {
  const branch = defineStep({ name: "branch", events: ["left", "right"], run: () => emit("left") });
  const left = defineStep({ name: "left", run: () => {} });
  const right = defineStep({ name: "right", run: () => {} });
  const flow = defineWorkflow({
    name: "flow",
    input: any,
    start: branch as AnyStep,
    transitions: ({ on, choose }) => [
      on(branch as AnyStep, { left: choose([left, right, done], () => left), right: right }),
      on(left, { done: done }),
      on(right, { done: done }),
    ],
  });

  it("that the step does not declare fails it, and what it did may have had its effect", () => {
    const run = begun(flow);
    expect(run.ends("branch", "nonsense")).toBe("recorded");
    expect(run.step("branch")).toMatchObject({ status: "failed", unknown: true, error: { code: "EVENT_UNDECLARED" } });
    expect(run.state.status).toBe("failed");
  });

  it("stores its result beside it, with its metadata", () => {
    const run = begun(flow);
    run.ends("branch", "right", { result: "[1]" as JsonText, metadata: { why: "so" } satisfies Json });
    expect(run.step("branch")).toMatchObject({ event: "right", result: 2, metadata: { why: "so" } });
    expect(run.records[1]?.payloads).toEqual({ "result:branch": "[1]" });
  });

  it("takes the targets that were chosen, all of them, and kills the others", () => {
    const run = begun(flow);
    run.ends("branch", "left", { targets: ["left", "done"] });
    expect(run.statuses).toEqual({ branch: "completed", left: "active", right: "skipped" });
    run.ends("left");
    expect(run.state.status).toBe("completed");
  });

  it("without a choice leaves the step choosing, which a driver does next", () => {
    const run = begun(flow);
    run.ends("branch", "left");
    expect(run.step("branch")?.status).toBe("choosing");
    expect(run.pending).toMatchObject({ run: [], choose: ["branch"] });
    expect(run.state.status).toBe("running");
    expect(run.do({ type: "choice", step: "branch", targets: ["right"] })).toBe("recorded");
    expect(run.statuses).toEqual({ branch: "completed", left: "skipped", right: "active" });
    expect(run.do({ type: "choice", step: "branch", targets: ["left"] })).toBe("ignored");
  });

  it.each([
    ["an undeclared target", ["branch"]],
    ["an unknown target", ["nobody"]],
    ["no target", []],
  ])("with a choice of %s fails the step without retry, at once and later", (_what, targets) => {
    const at = begun(flow);
    at.ends("branch", "left", { targets });
    const later = begun(flow);
    later.ends("branch", "left");
    later.do({ type: "choice", step: "branch", targets });
    for (const run of [at, later]) {
      expect(run.step("branch")).toMatchObject({
        status: "failed",
        event: "left",
        error: { code: "CHOICE_UNDECLARED" },
      });
      expect(run.state.status).toBe("failed");
    }
  });

  it("whose choice throws fails the step without retry, at once and later", () => {
    const at = begun(flow);
    at.ends("branch", "left", { choiceError: storedError("no", "CHOICE_FAILED") });
    const later = begun(flow);
    later.ends("branch", "left");
    later.do({ type: "choice", step: "branch", error: storedError("no", "CHOICE_FAILED") });
    for (const run of [at, later]) {
      expect(run.step("branch")).toMatchObject({ status: "failed", error: { code: "CHOICE_FAILED" } });
    }
  });
});

describe("a checkpoint", () => {
  it("is stored with its value and found by later attempts", () => {
    const run = begun(single());
    expect(run.do({ type: "checkpoint", step: "step", attempt: 1, name: "upload", value: "7" })).toBe("recorded");
    expect(run.records[1]?.payloads).toEqual({ "checkpoint:step:upload": "7" });
    run.fails("step");
    run.pass(60_000);
    run.do({ type: "checkpoint", step: "step", attempt: 2, name: "sent" });
    interrupted(run);
    run.ends("step");
    expect(run.step("step")?.checkpoints).toEqual({ upload: 2, sent: 5 });
  });
});

describe("optional results", () => {
  it("are seen as they were when the step was reached, on every attempt", () => {
    const maybe = defineStep({ name: "maybe", run: () => 1 });
    const quick = defineStep({ name: "quick", run: () => 1 });
    const reads = defineStep({ name: "reads", join: "any", maybeNeeds: [maybe, quick], run: () => {} });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: [maybe, quick],
      transitions: ({ on }) => [on(maybe, { done: reads }), on(quick, { done: reads }), on(reads, { done: done })],
    });
    const run = begun(flow);
    run.ends("quick", "done", { result: "1" });
    run.ends("maybe", "done", { result: "1" });
    run.fails("reads");
    interrupted(run);
    const { since = 0 } = run.step("reads")!;
    expect(run.step("quick")!.result).toBeLessThanOrEqual(since);
    expect(run.step("maybe")!.result).toBeGreaterThan(since);
  });
});
