import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, type RunOptions, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";

const any = type<unknown>();

/** A step with nothing to undo, that is tried once. */
const plain = (name: string, more: RunOptions = {}): AnyStep =>
  defineStep({ name, run: () => {}, retry: { maxAttempts: 1 }, ...more });
const undoable = (name: string, more: RunOptions = {}): AnyStep =>
  defineStep({ name, run: () => {}, compensate: () => {}, retry: { maxAttempts: 1 }, ...more });

/** Steps and where their one event leads. */
function flow(start: AnyStep[], edges: [AnyStep, ...AnyStep[]][]): AnyWorkflow {
  return defineWorkflow({
    name: "flow",
    input: any,
    start,
    transitions: ({ on }) => edges.map(([from, ...to]) => on(from, { [from.definition.events[0] as string]: to })),
  });
}

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start();
  return run;
}

function undoAll(run: EngineRun): void {
  for (let next = run.pending.compensate; next !== undefined; next = run.pending.compensate) run.undoes(next);
}

/** Runs whatever can run, to the end. */
function runAll(run: EngineRun): string[] {
  const ran: string[] = [];
  for (let [next] = run.pending.run; next !== undefined; [next] = run.pending.run) {
    ran.push(next);
    run.ends(next);
  }
  return ran;
}

describe("retry", () => {
  it("runs the failed step again, with a new token and the key that it had, and what comes after it", () => {
    const [a, b, c] = [plain("a"), plain("b"), plain("c")];
    const run = begun(
      flow(
        [a],
        [
          [a, b],
          [b, c],
          [c, done],
        ],
      ),
    );
    run.ends("a");
    run.fails("b");
    expect(run.state.status).toBe("failed");
    run.control("retry");
    expect(run.step("b")).toEqual({ status: "active", attempt: 2 });
    expect(run.ends("b", "done", { attempt: 1 })).toBe("ignored");
    expect(runAll(run)).toEqual(["b", "c"]);
    expect(run.state).toMatchObject({ status: "completed", ending: undefined });
  });

  it("gives the step all of its attempts again", () => {
    const a = plain("a", { retry: { maxAttempts: 2, initial: { seconds: 1 } } });
    const run = begun(flow([a], [[a, done]]));
    for (let life = 1; life <= 3; life++) {
      run.fails("a");
      run.pass(1_000);
      run.fails("a");
      expect(run.state.status).toBe("failed");
      run.control("retry");
    }
    expect(run.step("a")).toEqual({ status: "active", attempt: 7 });
  });

  it("leaves what completed and was not undone as it is", () => {
    const [a, b, bad] = [plain("a"), plain("b"), plain("bad")];
    const run = begun(
      flow(
        [a, bad],
        [
          [a, b],
          [b, done],
          [bad, done],
        ],
      ),
    );
    run.ends("a");
    run.ends("b");
    run.fails("bad");
    run.control("retry");
    expect(runAll(run)).toEqual(["bad"]);
  });

  it("runs again what the failure cancelled, and waits again for what it waited for", () => {
    const waits = waitForEvent({ name: "waits", events: { go: any }, timeout: { seconds: 5 } });
    const [runs, bad] = [plain("runs"), plain("bad")];
    const flowOf = defineWorkflow({
      name: "flow",
      input: any,
      start: [runs, waits, bad],
      transitions: ({ on }) => [
        on(runs, { done: done }),
        on(waits, { go: done, timeout: done }),
        on(bad, { done: done }),
      ],
    });
    const run = begun(flowOf);
    run.fails("bad");
    run.do({ type: "aborted", step: "runs", attempt: 1, begun: true });
    expect(run.state.status).toBe("failed");
    run.now += 60_000;
    run.event("go", { commandId: "later" });
    run.control("retry");
    expect(run.step("runs")).toEqual({ status: "active", attempt: 2 });
    expect(run.step("waits")).toMatchObject({ status: "completed", taken: "later" });
    expect(runAll(run)).toEqual(["runs", "bad"]);
    expect(run.state.status).toBe("completed");
  });

  it("runs compensated steps again under a new idempotency epoch, and all that came after them under the old", () => {
    const [reserve, note, charge] = [undoable("reserve"), plain("note"), plain("charge")];
    const run = begun(
      flow(
        [reserve],
        [
          [reserve, note],
          [note, charge],
          [charge, done],
        ],
      ),
    );
    run.ends("reserve");
    run.do({ type: "checkpoint", step: "note", attempt: 1, name: "written" });
    run.ends("note");
    run.fails("charge");
    undoAll(run);
    run.control("retry");
    expect(run.step("reserve")).toEqual({ status: "active", attempt: 2, epoch: 1, compensations: 1 });
    expect(run.step("note")).toMatchObject({ status: "idle", attempt: 2 });
    expect(run.step("note")?.checkpoints).toBeDefined();
    expect(run.step("note")?.epoch).toBeUndefined();
    expect(runAll(run)).toEqual(["reserve", "note", "charge"]);
  });

  it("forgets the checkpoints of a compensated step: its effects are to be done anew", () => {
    const [a, bad] = [undoable("a"), plain("bad")];
    const run = begun(
      flow(
        [a],
        [
          [a, bad],
          [bad, done],
        ],
      ),
    );
    run.do({ type: "checkpoint", step: "a", attempt: 1, name: "c" });
    run.ends("a");
    run.fails("bad");
    undoAll(run);
    run.control("retry");
    expect(run.step("a")?.checkpoints).toBeUndefined();
  });

  it("gives compensations tokens that none before had, so that a late one undoes nothing new", () => {
    const [a, bad] = [undoable("a"), plain("bad")];
    const run = begun(
      flow(
        [a],
        [
          [a, bad],
          [bad, done],
        ],
      ),
    );
    for (let life = 1; life <= 3; life++) {
      run.ends("a");
      run.fails("bad");
      expect(run.step("a")?.compensation?.attempt ?? 1).toBe(life);
      for (let old = 1; old < life; old++) expect(run.undoes("a", { attempt: old })).toBe("ignored");
      undoAll(run);
      run.control("retry");
      expect(run.step("a")?.epoch).toBe(life);
    }
  });

  it("leaves a step whose compensation failed as it is, and may have to undo it once more", () => {
    const [a, bad] = [undoable("a"), plain("bad")];
    const run = begun(
      flow(
        [a],
        [
          [a, bad],
          [bad, done],
        ],
      ),
    );
    run.ends("a");
    run.fails("bad");
    run.undoes("a", { error: storedError(), retryable: false });
    run.control("retry");
    expect(run.step("a")).toMatchObject({ status: "completed", event: "done" });
    expect(run.step("a")?.compensation).toBeUndefined();
    expect(run.pending.run).toEqual(["bad"]);
    run.fails("bad");
    expect(run.pending.compensate).toBe("a");
  });

  it("takes the edges of what completed while the run was failing", () => {
    const [late, next, bad] = [plain("late"), plain("next"), plain("bad")];
    const run = begun(
      flow(
        [late, bad],
        [
          [late, next],
          [next, done],
          [bad, done],
        ],
      ),
    );
    run.fails("bad");
    run.ends("late", "done", { result: "1" });
    expect(run.state.status).toBe("failed");
    run.control("retry");
    expect(run.step("late")).toMatchObject({ status: "completed", result: 3 });
    expect(runAll(run)).toEqual(["bad", "next"]);
    expect(run.state.status).toBe("completed");
  });

  it("keeps the order in which steps are to be undone that completed while the run was failing", () => {
    const [a, b, bad] = [undoable("a"), undoable("b"), plain("bad")];
    const run = begun(
      flow(
        [a, b, bad],
        [
          [a, done],
          [b, done],
          [bad, done],
        ],
      ),
    );
    run.fails("bad");
    run.ends("b");
    run.ends("a");
    const failed = { error: storedError("no") };
    run.undoes("a", failed);
    run.undoes("b", failed);
    run.control("retry");
    run.fails("bad");
    expect(run.pending.compensate).toBe("a");
    run.undoes("a");
    expect(run.pending.compensate).toBe("b");
  });

  it("makes the choice of what completed while the run was failing", () => {
    const [late, next, bad] = [plain("late"), plain("next"), plain("bad")];
    const run = begun(
      defineWorkflow({
        name: "flow",
        input: any,
        start: [late, bad],
        transitions: ({ on, choose }) => [
          on(late, { done: choose([next, done], () => next) }),
          on(next, { done: done }),
          on(bad, { done: done }),
        ],
      }),
    );
    run.fails("bad");
    run.ends("late");
    run.control("retry");
    expect(run.pending).toMatchObject({ run: ["bad"], choose: ["late"] });
    run.do({ type: "choice", step: "late", targets: ["next"] });
    expect(runAll(run)).toEqual(["bad", "next"]);
  });

  it("does not run again a relaxed join that enough others had led to", () => {
    const [fast, bad, join, after] = [plain("fast"), plain("bad"), plain("join", { join: "any" }), plain("after")];
    const run = begun(
      flow(
        [fast, bad],
        [
          [fast, join],
          [bad, join],
          [join, after],
          [after, done],
        ],
      ),
    );
    run.ends("fast");
    run.ends("join");
    run.ends("after");
    run.fails("bad");
    expect(run.state.status).toBe("failed");
    run.control("retry");
    expect(runAll(run)).toEqual(["bad"]);
    expect(run.state.status).toBe("completed");
  });

  it("runs a relaxed join again when what led to it was undone", () => {
    const [fast, bad, join] = [undoable("fast"), plain("bad"), plain("join", { join: "any" })];
    const run = begun(
      flow(
        [fast, bad],
        [
          [fast, join],
          [bad, join],
          [join, done],
        ],
      ),
    );
    run.ends("fast");
    run.ends("join");
    run.fails("bad");
    undoAll(run);
    run.control("retry");
    expect(run.step("join")?.status).toBe("idle");
    expect(runAll(run)).toEqual(["fast", "bad", "join"]);
  });

  /** fast outruns slow to a join, after which the run fails and is taken up again. */
  function outrun(fast: AnyStep): EngineRun {
    const [slow, join, bad] = [plain("slow"), plain("join", { join: "any", cancelRest: true }), plain("bad")];
    const run = begun(
      flow(
        [fast, slow],
        [
          [fast, join],
          [slow, join],
          [join, bad],
          [bad, done],
        ],
      ),
    );
    run.ends("fast");
    expect(run.step("slow")).toMatchObject({ status: "cancelled", outrun: true });
    run.ends("join");
    run.fails("bad");
    undoAll(run);
    run.control("retry");
    return run;
  }

  it("lets run what a join had cancelled, when that join is run again", () => {
    expect(outrun(undoable("fast")).statuses).toMatchObject({ fast: "active", slow: "active", join: "idle" });
  });

  it("leaves cancelled what a join had cancelled that stays", () => {
    const { statuses } = outrun(plain("fast"));
    expect(statuses).toMatchObject({ fast: "completed", slow: "cancelled", join: "completed", bad: "active" });
  });

  it("keeps what went by a failure route where it went", () => {
    const rescue = plain("rescue");
    const [risky, bad] = [plain("risky", { onFailure: rescue }), plain("bad")];
    const run = begun(
      flow(
        [risky, bad],
        [
          [risky, done],
          [rescue, done],
          [bad, done],
        ],
      ),
    );
    run.fails("risky");
    run.ends("rescue");
    run.fails("bad");
    run.control("retry");
    expect(runAll(run)).toEqual(["bad"]);
    expect(run.statuses).toMatchObject({ risky: "failed", rescue: "completed" });
  });

  it("is refused in the commit in which the run fails: whoever asks has not seen that", () => {
    const a = plain("a");
    const run = begun(flow([a], [[a, done]]));
    const [, refused] = run.send(
      { type: "failure", step: "a", attempt: 1, error: storedError(), retryable: false, jitter: 0 },
      { type: "retry", commandId: "r" },
    );
    expect(refused?.error?.code).toBe("STATUS_REFUSES");
    run.control("retry");
    expect(run.state.status).toBe("running");
  });
});
