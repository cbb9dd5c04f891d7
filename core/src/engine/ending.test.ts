import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, pending, type RunOptions, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";
import { CANCEL_GRACE_MS, MAX_INTERRUPTIONS } from "./limits.ts";

const any = type<unknown>();

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start();
  return run;
}

/** A step that can be undone, and is tried twice. */
function step(name: string, more: RunOptions = {}): AnyStep {
  const retry = { maxAttempts: 2, initial: { seconds: 1 }, jitter: false } as const;
  return defineStep({ name, run: () => {}, compensate: () => {}, retry, ...more });
}

/** Steps side by side, each of which leads to done. */
function side(...steps: AnyStep[]): AnyWorkflow {
  return defineWorkflow({
    name: "side",
    input: any,
    start: steps,
    transitions: ({ on }) =>
      steps.map((one) => on(one, Object.fromEntries(one.definition.events.map((event) => [event, done])))),
  });
}

/** One step, after whose end code chooses where to go. */
const chooses = step("chooses");
const other = step("other");
const choosing = defineWorkflow({
  name: "choosing",
  input: any,
  start: chooses,
  transitions: ({ on, choose }) => [
    on(chooses, { done: choose([other, done], () => done) }),
    on(other, { done: done }),
  ],
});

const waits = waitForEvent({ name: "waits", events: { go: any } });
const fail = (run: EngineRun, name: string, more: object = {}) => run.fails(name, { retryable: false, ...more });

/** Ends every compensation that comes, well, and tells in which order they came. */
function undoAll(run: EngineRun): string[] {
  const order: string[] = [];
  for (let next = run.pending.compensate; next !== undefined; next = run.pending.compensate) {
    order.push(next);
    run.undoes(next);
  }
  return order;
}

describe("a run that fails", () => {
  it("says which step failed, with which error and after how many attempts", () => {
    const run = begun(side(step("a")));
    run.fails("a");
    run.pass(1_000);
    run.fails("a", { error: { ...storedError("no luck", "E_LUCK"), stack: "at …", cause: storedError("why") } });
    expect(run.step("a")).toMatchObject({ status: "failed", attempt: 2, failures: 2 });
    expect(run.state.ending).toMatchObject({
      step: "a",
      error: { name: "Error", message: "no luck", code: "E_LUCK", stack: "at …", cause: { message: "why" } },
    });
  });

  it("aborts what runs, cancels what waits, starts nothing more, and waits for what runs", () => {
    const [bad, runs, backsOff, after] = [step("bad"), step("runs"), step("backs_off"), step("after")];
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: [bad, runs, backsOff, waits],
      transitions: ({ on }) => [
        on(bad, { done: done }),
        on(runs, { done: after }),
        on(backsOff, { done: done }),
        on(waits, { go: done }),
        on(after, { done: done }),
      ],
    });
    const run = begun(flow);
    run.fails("backs_off");
    fail(run, "bad");
    expect(run.state.status).toBe("compensating");
    expect(run.statuses).toEqual({ bad: "failed", runs: "active", backs_off: "cancelled", waits: "cancelled" });
    expect(run.pending).toMatchObject({ run: [], abort: ["runs"], wakeAt: run.now + CANCEL_GRACE_MS });
    run.ends("runs");
    expect(run.step("after")).toBeUndefined();
    expect(undoAll(run)).toEqual(["runs"]);
    expect(run.state.status).toBe("failed");
  });

  it("records what an aborted attempt still reports: an end is undone, an error is not", () => {
    const run = begun(side(step("bad"), step("ends"), step("throws"), step("stops"), step("never_began")));
    fail(run, "bad");
    run.ends("ends");
    run.fails("throws");
    run.do({ type: "aborted", step: "stops", attempt: 1, begun: true });
    run.do({ type: "aborted", step: "never_began", attempt: 1, begun: false });
    expect(run.statuses).toEqual({
      bad: "failed",
      ends: "completed",
      throws: "cancelled",
      stops: "cancelled",
      never_began: "cancelled",
    });
    expect(undoAll(run)).toEqual(["ends"]);
  });

  it("does not wait longer than the grace for attempts that do not stop", () => {
    const run = begun(side(step("bad"), step("deaf")));
    fail(run, "bad");
    run.pass(CANCEL_GRACE_MS - 1);
    expect(run.state.status).toBe("compensating");
    run.pass(1);
    expect(run.step("deaf")).toEqual({ status: "cancelled", unknown: true });
    expect(run.state.status).toBe("failed");
    expect(run.ends("deaf")).toBe("ignored");
  });

  it("while it is paused is not paused any more", () => {
    const run = begun(side(step("bad"), step("good"), step("deaf")));
    run.ends("good");
    run.control("pause");
    fail(run, "bad");
    expect(run.state).toMatchObject({ status: "compensating", paused: false });
    run.pass(CANCEL_GRACE_MS);
    run.undoes("good", { error: storedError(), retryable: true, jitter: 0 });
    run.pass(1_000);
    expect(undoAll(run)).toEqual(["good"]);
    expect(run.state.status).toBe("failed");
  });

  it("keeps the first failure when a second comes while it settles", () => {
    const run = begun(side(step("first"), step("second")));
    fail(run, "first");
    fail(run, "second");
    expect(run.state.ending?.step).toBe("first");
    expect(run.step("second")?.status).toBe("cancelled");
  });

  it("fails when all is settled and nothing led to done", () => {
    const skipped = step("skipped", { onFailure: "skip" });
    const run = begun(side(skipped));
    fail(run, "skipped");
    expect(run.state).toMatchObject({ status: "failed", ending: { error: { code: "DONE_UNREACHED" } } });
    expect(run.state.ending?.step).toBeUndefined();
  });
});

describe("compensation", () => {
  it("undoes completed steps in the reverse order of their completion, one at a time", () => {
    const run = begun(side(step("a"), step("b"), step("c"), step("bad")));
    for (const name of ["b", "c", "a"]) run.ends(name);
    fail(run, "bad");
    expect(run.pending.compensate).toBe("a");
    expect(run.step("c")?.compensation).toBeUndefined();
    expect(undoAll(run)).toEqual(["a", "c", "b"]);
  });

  it("keeps to the order of completion also where one commit held several ends", () => {
    const run = begun(side(step("a"), step("b"), step("bad")));
    const end = (name: string) =>
      ({ type: "outcome", step: name, attempt: 1, event: "done", startedAt: run.now }) as const;
    run.send({ type: "checkpoint", step: "a", attempt: 1, name: "c" }, end("b"), end("a"));
    fail(run, "bad");
    expect(undoAll(run)).toEqual(["a", "b"]);
  });

  it("leaves out steps that have nothing to undo", () => {
    const plain = defineStep({ name: "plain", run: () => {} });
    const run = begun(side(plain, step("bad")));
    run.ends("plain");
    fail(run, "bad");
    expect(run.state.status).toBe("failed");
  });

  it("that fails is tried again after its back-off", () => {
    const run = begun(side(step("a"), step("bad")));
    run.ends("a");
    fail(run, "bad");
    run.undoes("a", { error: storedError("later"), retryable: true, jitter: 0 });
    expect(run.step("a")?.compensation).toMatchObject({ status: "active", attempt: 2, failures: 1, wakeAt: 2_000 });
    expect(run.pending).toMatchObject({ compensate: undefined, wakeAt: 2_000 });
    run.pass(999);
    expect(run.pending.compensate).toBeUndefined();
    run.pass(1);
    expect(run.pending).toMatchObject({ compensate: "a", wakeAt: undefined });
    expect(run.undoes("a", { attempt: 1 })).toBe("ignored");
    expect(undoAll(run)).toEqual(["a"]);
  });

  it("that fails for good is recorded, and the others go on in their order", () => {
    const run = begun(side(step("a"), step("b"), step("c"), step("bad")));
    for (const name of ["a", "b", "c"]) run.ends(name);
    fail(run, "bad");
    run.undoes("c");
    run.undoes("b", { error: storedError("stuck"), retryable: false });
    expect(undoAll(run)).toEqual(["a"]);
    expect(run.step("b")?.compensation).toMatchObject({ status: "failed", error: { message: "stuck" } });
    expect(run.state.status).toBe("failed");
  });

  it("is tried as often as the policy says", () => {
    const run = begun(side(step("a"), step("bad")));
    run.ends("a");
    fail(run, "bad");
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(run.state.status).toBe("compensating");
      run.undoes("a", { error: storedError(), jitter: 0 });
      run.pass(60_000);
    }
    expect(run.step("a")?.compensation).toMatchObject({ status: "failed", failures: 2 });
  });

  it("that never came back is begun again under a new token, and not for ever", () => {
    const run = begun(side(step("a"), step("bad")));
    run.ends("a");
    fail(run, "bad");
    run.do({ type: "interrupted" });
    expect(run.step("a")?.compensation).toEqual({ status: "active", attempt: 2, interruptions: 1 });
    expect(run.undoes("a", { attempt: 1 })).toBe("ignored");
    for (let count = 1; count < MAX_INTERRUPTIONS; count++) run.do({ type: "interrupted" });
    expect(run.step("a")?.compensation).toMatchObject({ status: "failed", error: { code: "MAX_INTERRUPTIONS" } });
    expect(run.state.status).toBe("failed");
  });

  it("of a step that failed in its choice undoes its effect, which has happened", () => {
    const run = begun(choosing);
    run.ends("chooses", "done", { result: "1", choiceError: storedError("no", "CHOICE_FAILED") });
    expect(run.step("chooses")).toMatchObject({ status: "failed", event: "done", result: 2 });
    expect(undoAll(run)).toEqual(["chooses"]);
    expect(run.state.status).toBe("failed");
  });
});

describe("an unknown outcome", () => {
  const unknown = (name: string, more: RunOptions = {}) => step(name, { outcome: "unknown", ...more });

  it("is undone for a step whose attempt was aborted and did not come back", () => {
    const run = begun(side(unknown("a"), step("known"), step("bad")));
    fail(run, "bad");
    run.pass(CANCEL_GRACE_MS);
    expect(undoAll(run)).toEqual(["a"]);
    expect(run.step("a")).toMatchObject({ status: "cancelled", unknown: true });
  });

  it("is undone for a step that stopped when it was aborted, but not for one that never began", () => {
    const run = begun(side(unknown("stops"), unknown("never_began"), step("bad")));
    fail(run, "bad");
    run.do({ type: "aborted", step: "stops", attempt: 1, begun: true });
    run.do({ type: "aborted", step: "never_began", attempt: 1, begun: false });
    expect(undoAll(run)).toEqual(["stops"]);
  });

  it.each(["STEP_TIMEOUT", "RESULT_INVALID", "NOT_JSON"])("is undone for a step that failed with %s", (code) => {
    const run = begun(side(unknown("a", { onFailure: "skip" }), step("bad")));
    fail(run, "a", { error: storedError("?", code) });
    fail(run, "bad");
    expect(undoAll(run)).toEqual(["a"]);
  });

  it("is undone for a step one attempt of which timed out before another failed", () => {
    const run = begun(side(unknown("a", { onFailure: "skip" }), step("bad")));
    run.fails("a", { error: storedError("?", "STEP_TIMEOUT") });
    run.pass(60_000);
    run.fails("a", { error: storedError("a plain no") });
    fail(run, "bad");
    expect(undoAll(run)).toEqual(["a"]);
  });

  it("is not undone for a step that itself said that it failed", () => {
    const run = begun(side(unknown("a", { onFailure: "skip" }), step("bad")));
    fail(run, "a");
    fail(run, "bad");
    expect(undoAll(run)).toEqual([]);
  });

  it("is undone for a step that never came back too often", () => {
    const run = begun(side(unknown("a")));
    for (let count = 0; count < MAX_INTERRUPTIONS; count++) run.do({ type: "interrupted" });
    expect(undoAll(run)).toEqual(["a"]);
    expect(run.state.status).toBe("failed");
  });

  it("is undone for a step that was pending: what it waited for may happen", () => {
    const asks = defineStep({
      name: "asks",
      events: ["yes"],
      outcome: "unknown",
      run: () => pending(),
      compensate: () => {},
    });
    const run = begun(side(asks, step("bad")));
    run.do({ type: "pending", step: "asks", attempt: 1 });
    fail(run, "bad");
    expect(undoAll(run)).toEqual(["asks"]);
  });

  it("is known when a later attempt completes, and then undone once", () => {
    const run = begun(side(unknown("a"), step("bad")));
    run.do({ type: "interrupted", steps: ["a"] });
    run.ends("a");
    expect(run.step("a")?.unknown).toBeUndefined();
    fail(run, "bad");
    expect(undoAll(run)).toEqual(["a"]);
  });

  it("gets a new token when its compensation never came back", () => {
    const run = begun(side(unknown("a"), step("bad")));
    fail(run, "bad");
    run.pass(CANCEL_GRACE_MS);
    run.do({ type: "interrupted" });
    expect(run.step("a")?.compensation).toEqual({ status: "active", attempt: 2, interruptions: 1 });
  });
});

describe("cancel", () => {
  it("while an attempt runs lets it settle, then compensates", () => {
    const run = begun(side(step("a"), step("b")));
    run.ends("a");
    run.control("cancel");
    expect(run.pending).toMatchObject({ abort: ["b"], compensate: undefined });
    run.do({ type: "aborted", step: "b", attempt: 1, begun: true });
    expect(undoAll(run)).toEqual(["a"]);
    expect(run.state).toMatchObject({ status: "cancelled", ending: { outcome: "cancelled" } });
  });

  it("during a back-off ends at once", () => {
    const run = begun(side(step("a")));
    run.fails("a");
    run.control("cancel");
    expect(run.statuses).toEqual({ a: "cancelled" });
    expect(run.state.status).toBe("cancelled");
  });

  it("while a choice is to be made undoes the step, whose effect has happened", () => {
    const run = begun(choosing);
    run.ends("chooses");
    run.control("cancel");
    expect(run.do({ type: "choice", step: "chooses", targets: ["other"] })).toBe("ignored");
    expect(undoAll(run)).toEqual(["chooses"]);
    expect(run.statuses).toEqual({ chooses: "completed" });
  });

  it("of a run that is failing joins it: it ends failed", () => {
    const run = begun(side(step("a"), step("bad")));
    run.ends("a");
    fail(run, "bad");
    run.control("cancel");
    undoAll(run);
    expect(run.state.status).toBe("failed");
  });

  it("of a failed run tries again what could not be undone, and ends cancelled", () => {
    const run = begun(side(step("a"), step("b"), step("c"), step("bad")));
    for (const name of ["a", "b", "c"]) run.ends(name);
    fail(run, "bad");
    run.undoes("c");
    run.undoes("b", { error: storedError(), retryable: false });
    run.undoes("a", { error: storedError(), retryable: false });
    expect(run.state.status).toBe("failed");
    run.control("cancel");
    expect(run.state).toMatchObject({ status: "compensating", endedAt: undefined });
    expect(run.undoes("b", { attempt: 1 })).toBe("ignored");
    expect(undoAll(run)).toEqual(["b", "a"]);
    expect(run.state).toMatchObject({ status: "cancelled", ending: { outcome: "cancelled", step: "bad" } });
  });

  it("twice with one id is one cancel", () => {
    const run = begun(side(step("a")));
    run.control("cancel", "c");
    const { revision } = run.state;
    run.control("cancel", "c");
    expect(run.state.revision).toBe(revision);
  });
});
