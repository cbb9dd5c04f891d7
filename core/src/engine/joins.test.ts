import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, emit, type StepOptions, wait, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";
import { MAX_INTERRUPTIONS } from "./limits.ts";

const any = type<unknown>();
const step = (name: string, more: StepOptions = {}): AnyStep =>
  defineStep({ name, run: () => {}, retry: { maxAttempts: 1 }, ...more });
const branch = (name: string, ...events: string[]): AnyStep =>
  defineStep({ name, events, run: () => emit(events[0] as string) });

type To = AnyStep | readonly AnyStep[];

/** Steps and where they lead: their one event, or each of several. */
function flow(start: AnyStep[], edges: [AnyStep, To | Record<string, To>][]): AnyWorkflow {
  const isTarget = (to: unknown): to is To => Array.isArray(to) || "definition" in (to as object);
  return defineWorkflow({
    name: "flow",
    input: any,
    start,
    transitions: ({ on }) =>
      edges.map(([from, to]) => on(from, isTarget(to) ? { [from.definition.events[0] as string]: to } : to)),
  });
}

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start();
  return run;
}

const [a, b, c, d] = [step("a"), step("b"), step("c"), step("d")];
const go = (name: string, more: StepOptions = {}): AnyStep => waitForEvent({ name, events: { go: any }, ...more });

describe("the join that waits for all", () => {
  it("LESSONS 1: merges exclusive branches: A leads to B or C, both lead to D, and D runs", () => {
    const choice = branch("choice", "left", "right");
    const run = begun(
      flow(
        [choice],
        [
          [choice, { left: b, right: c }],
          [b, d],
          [c, d],
          [d, done],
        ],
      ),
    );
    run.ends("choice", "right");
    expect(run.statuses).toEqual({ choice: "completed", b: "skipped", c: "active" });
    run.ends("c");
    expect(run.step("d")?.status).toBe("active");
    run.ends("d");
    expect(run.state.status).toBe("completed");
  });

  it("LESSONS 1: goes on after an optional step, whether it ran or not", () => {
    const choice = branch("choice", "with", "without");
    const optional = flow(
      [choice],
      [
        [choice, { with: b, without: d }],
        [b, d],
        [d, done],
      ],
    );
    const without = begun(optional);
    without.ends("choice", "without");
    expect(without.statuses).toEqual({ choice: "completed", b: "skipped", d: "active" });
    const withIt = begun(optional);
    withIt.ends("choice", "with");
    expect(withIt.step("d")).toBeUndefined();
    withIt.ends("b");
    expect(withIt.step("d")?.status).toBe("active");
  });

  it("synchronises parallel branches: it runs once, after the last", () => {
    const run = begun(
      flow(
        [a],
        [
          [a, [b, c]],
          [b, d],
          [c, d],
          [d, done],
        ],
      ),
    );
    run.ends("a");
    run.ends("b");
    expect(run.step("d")).toBeUndefined();
    run.ends("c");
    expect(run.step("d")).toEqual({ status: "active" });
  });

  it("waits for a start of its own and for what leads to it", () => {
    const run = begun(
      flow(
        [a, d],
        [
          [a, d],
          [d, done],
        ],
      ),
    );
    expect(run.statuses).toEqual({ a: "active" });
    run.ends("a");
    expect(run.step("d")?.status).toBe("active");
  });

  it("counts two events to one target as one edge", () => {
    const choice = branch("choice", "one", "two");
    const run = begun(
      flow(
        [choice],
        [
          [choice, { one: d, two: d }],
          [d, done],
        ],
      ),
    );
    run.ends("choice", "two");
    expect(run.step("d")?.status).toBe("active");
  });

  it("kills along dead paths, however long", () => {
    const choice = branch("choice", "on", "off");
    const run = begun(
      flow(
        [choice],
        [
          [choice, { on: a, off: d }],
          [a, b],
          [b, c],
          [c, d],
          [d, done],
        ],
      ),
    );
    run.ends("choice", "off");
    expect(run.statuses).toEqual({ choice: "completed", a: "skipped", b: "skipped", c: "skipped", d: "active" });
  });
});

describe("relaxed joins", () => {
  const [x, y, z] = [step("x"), step("y"), step("z")];
  const joined = (join: StepOptions) => {
    const last = step("last", join);
    return flow(
      [x, y, z],
      [
        [x, last],
        [y, last],
        [z, last],
        [last, done],
      ],
    );
  };

  it("any starts at the first edge, once", () => {
    const run = begun(joined({ join: "any" }));
    run.ends("y");
    expect(run.step("last")).toEqual({ status: "active" });
    run.ends("last");
    run.ends("x");
    run.ends("z");
    expect(run.step("last")).toMatchObject({ status: "completed" });
    expect(run.state.status).toBe("completed");
  });

  it("the instance is complete only when also the steps are settled that it did not wait for", () => {
    const run = begun(joined({ join: "any" }));
    run.ends("x");
    run.ends("last");
    expect(run.state.status).toBe("running");
    run.ends("y");
    run.ends("z");
    expect(run.state.status).toBe("completed");
  });

  it("atLeast starts at the n-th edge", () => {
    const run = begun(joined({ join: { atLeast: 2 } }));
    run.ends("z");
    expect(run.step("last")).toBeUndefined();
    run.ends("x");
    expect(run.step("last")).toEqual({ status: "active" });
  });

  it("atLeast fails when it can't be reached any more though some edges were taken", () => {
    const last = step("last", { join: { atLeast: 2 } });
    const risky = ["x", "y", "z"].map((name) => step(name, { onFailure: "skip" }));
    const run = begun(flow(risky, [...risky.map((one): [AnyStep, To] => [one, last]), [last, done]]));
    run.ends("x");
    run.fails("y");
    expect(run.step("last")).toBeUndefined();
    run.fails("z");
    expect(run.step("last")).toMatchObject({ status: "failed", error: { code: "JOIN_UNFILLED" } });
    expect(run.state).toMatchObject({ status: "failed", ending: { step: "last" } });
  });

  it("atLeast is skipped when no edge was taken", () => {
    const last = step("last", { join: { atLeast: 2 } });
    const choice = branch("choice", "many", "none");
    const run = begun(
      flow(
        [choice],
        [
          [choice, { many: [x, y], none: done }],
          [x, last],
          [y, last],
          [last, done],
        ],
      ),
    );
    run.ends("choice", "none");
    expect(run.step("last")?.status).toBe("skipped");
    expect(run.state.status).toBe("completed");
  });

  it("an unfilled join can have a failure route", () => {
    const last = step("last", { join: { atLeast: 2 }, onFailure: d });
    const risky = ["x", "y"].map((name) => step(name, { onFailure: "skip" }));
    const run = begun(flow(risky, [...risky.map((one): [AnyStep, To] => [one, last]), [last, done], [d, done]]));
    run.ends("x");
    run.fails("y");
    expect(run.statuses).toMatchObject({ last: "failed", d: "active" });
  });
});

describe("cancelRest", () => {
  it("cancels what leads nowhere but to the join, running or not reached, and nothing else", () => {
    const [fast, slow, later, free] = [step("fast"), step("slow"), step("later"), step("free")];
    const join = step("join", { join: "any", cancelRest: true });
    const run = begun(
      flow(
        [fast, slow, free],
        [
          [fast, join],
          [slow, later],
          [later, join],
          [free, [join, done]],
          [join, done],
        ],
      ),
    );
    run.ends("fast");
    expect(run.statuses).toEqual({
      fast: "completed",
      slow: "cancelled",
      later: "cancelled",
      free: "active",
      join: "active",
    });
    expect(run.ends("slow")).toBe("ignored");
    run.ends("join");
    run.ends("free");
    expect(run.state.status).toBe("completed");
  });

  it("completes a step that only had its choice to make: it has run", () => {
    const chooses = go("chooses");
    const fast = step("fast");
    const join = step("join", { join: "any", cancelRest: true });
    const run = begun(
      defineWorkflow({
        name: "flow",
        input: any,
        start: [chooses, fast],
        transitions: ({ on, choose }) => [
          on(chooses, { go: choose([b, join], () => b) }),
          on(b, { done: join }),
          on(fast, { done: join }),
          on(join, { done: done }),
        ],
      }),
    );
    run.event("go");
    run.ends("fast");
    expect(run.statuses).toEqual({ chooses: "completed", fast: "completed", b: "cancelled", join: "active" });
    expect(run.do({ type: "choice", step: "chooses", targets: ["b"] })).toBe("ignored");
  });

  it("knows that what one commit starts and cancels has had no effect", () => {
    const [slow, first] = [
      defineStep({ name: "slow", run: () => {}, compensate: () => {}, outcome: "unknown" }),
      go("first"),
    ];
    const join = step("join", { join: "any", cancelRest: true });
    const run = begun(
      flow(
        [first],
        [
          [first, [slow, join]],
          [slow, join],
          [join, done],
        ],
      ),
    );
    run.event("go");
    expect(run.step("slow")).toEqual({ status: "cancelled", outrun: true });
    run.fails("join");
    expect(run.step("slow")).toEqual({ status: "cancelled", outrun: true });
    expect(run.state.status).toBe("failed");
  });

  it("in the same moment cancels a join that could not be filled, before that fails", () => {
    const choice = branch("choice", "short", "long");
    const [one, two] = [step("one"), step("two")];
    const short = step("short", { join: "any", cancelRest: true });
    const long = step("long", { join: { atLeast: 2 } });
    const run = begun(
      flow(
        [one, choice, two],
        [
          [one, long],
          [two, [long, short]],
          [choice, { short: short, long: long }],
          [long, short],
          [short, done],
        ],
      ),
    );
    run.ends("one");
    run.ends("choice", "short");
    expect(run.state.status).toBe("running");
    expect(run.statuses).toMatchObject({ long: "cancelled", short: "active" });
  });
});

describe("failure routes", () => {
  it("lead on in place of the step's events", () => {
    const [rescue, after] = [step("rescue"), step("after")];
    const risky = step("risky", { onFailure: rescue });
    const run = begun(
      flow(
        [risky],
        [
          [risky, after],
          [rescue, done],
          [after, done],
        ],
      ),
    );
    run.fails("risky", { error: storedError("no") });
    expect(run.statuses).toEqual({ risky: "failed", rescue: "active", after: "skipped" });
    run.ends("rescue");
    expect(run.state.status).toBe("completed");
  });

  it("are dead when the step completes", () => {
    const rescue = step("rescue");
    const risky = step("risky", { onFailure: rescue });
    const run = begun(
      flow(
        [risky],
        [
          [risky, done],
          [rescue, done],
        ],
      ),
    );
    run.ends("risky");
    expect(run.statuses).toEqual({ risky: "completed", rescue: "skipped" });
    expect(run.state.status).toBe("completed");
  });

  it("may lead to done", () => {
    const risky = step("risky", { onFailure: done });
    const run = begun(
      flow(
        [risky],
        [
          [risky, a],
          [a, done],
        ],
      ),
    );
    run.fails("risky");
    expect(run.state.status).toBe("completed");
  });

  it("skip goes on without the step", () => {
    const risky = step("risky", { onFailure: "skip" });
    const run = begun(
      flow(
        [a],
        [
          [a, [risky, b]],
          [risky, d],
          [b, d],
          [d, done],
        ],
      ),
    );
    run.ends("a");
    run.fails("risky");
    run.ends("b");
    expect(run.statuses).toMatchObject({ risky: "failed", d: "active" });
  });
});

describe("waiting is per step", () => {
  it("LESSONS 2: while one branch waits, its siblings go on", () => {
    const waits = go("waits");
    const run = begun(
      flow(
        [a],
        [
          [a, [waits, b]],
          [b, c],
          [waits, d],
          [c, d],
          [d, done],
        ],
      ),
    );
    run.ends("a");
    run.ends("b");
    expect(run.statuses).toMatchObject({ waits: "waiting", c: "active" });
    run.ends("c");
    expect(run.state.status).toBe("waiting");
    run.event("go");
    expect(run.step("d")?.status).toBe("active");
  });

  it("LESSONS 3: two parallel waits each get their event, in any order, and their join runs", () => {
    const one = waitForEvent({ name: "one", events: { first: any } });
    const two = waitForEvent({ name: "two", events: { second: any } });
    const run = begun(
      flow(
        [a],
        [
          [a, [one, two]],
          [one, d],
          [two, d],
          [d, done],
        ],
      ),
    );
    run.ends("a");
    run.event("second");
    expect(run.statuses).toMatchObject({ one: "waiting", two: "completed" });
    run.event("first");
    expect(run.step("d")?.status).toBe("active");
    expect(run.step("one")).toMatchObject({ event: "first" });
  });

  it("LESSONS 4: a wrong event on a wait is refused, and changes nothing", () => {
    const one = waitForEvent({ name: "one", events: { right: any } });
    const run = begun(flow([one], [[one, done]]));
    expect(() => run.event("wrong")).toThrow(expect.objectContaining({ code: "EVENT_UNDECLARED" }));
    expect(run.state).toMatchObject({ status: "waiting", revision: 1 });
  });

  it("LESSONS 4: events out of order on waits in sequence each find their wait", () => {
    const one = waitForEvent({ name: "one", events: { first: any } });
    const two = waitForEvent({ name: "two", events: { second: any } });
    const run = begun(
      flow(
        [one],
        [
          [one, two],
          [two, a],
          [a, done],
        ],
      ),
    );
    expect(run.event("second")).toBe("queued");
    expect(run.event("first")).toBe("delivered");
    expect(run.statuses).toEqual({ one: "completed", two: "completed", a: "active" });
  });

  it("LESSONS 5: an early event is in the record of its commit, and goes to the wait that it is for", () => {
    const waits = go("waits");
    const run = begun(
      flow(
        [a],
        [
          [a, waits],
          [waits, done],
        ],
      ),
    );
    run.event("go", { commandId: "e", payload: "1" });
    // The running step is none of its business; every commit is folded anew, as after the death of the process.
    expect(run.records[1]).toMatchObject({
      changes: { inbox: [{ id: "e", event: "go" }] },
      payloads: { "event:e": "1" },
    });
    expect(run.step("a")?.status).toBe("active");
    run.ends("a");
    expect(run.step("waits")).toMatchObject({ status: "completed", taken: "e" });
  });

  it("LESSONS 6: a timer does not fire for a step that an event has finished", () => {
    const waits = waitForEvent({ name: "waits", events: { go: any }, timeout: { seconds: 1 } });
    const late = step("late");
    const run = begun(
      flow(
        [waits],
        [
          [waits, { go: a, timeout: late }],
          [a, done],
          [late, done],
        ],
      ),
    );
    run.event("go");
    run.pass(1_000);
    expect(run.statuses).toEqual({ waits: "completed", a: "active", late: "skipped" });
  });

  it("LESSONS 6: the timer of a wait is armed", () => {
    const waits = wait({ name: "waits", for: { seconds: 1 } });
    const run = begun(flow([waits], [[waits, done]]));
    expect(run.pending.wakeAt).toBe(2_000);
    run.pass(1_000);
    expect(run.state.status).toBe("completed");
  });
});

describe("failures", () => {
  it("LESSONS 9: an exhausted step ends the run, with its reason and its attempts", () => {
    const run = begun(flow([a], [[a, done]]));
    run.fails("a", { error: storedError("why") });
    expect(run.state).toMatchObject({ status: "failed", ending: { step: "a", error: { message: "why" } } });
    expect(run.step("a")).toMatchObject({ status: "failed", failures: 1, error: { message: "why" } });
  });

  it("LESSONS 10: in a fan-out, one failure discards no result of its siblings", () => {
    const risky = step("risky", { onFailure: "skip" });
    const run = begun(
      flow(
        [a],
        [
          [a, [risky, b, c]],
          [risky, d],
          [b, d],
          [c, d],
          [d, done],
        ],
      ),
    );
    run.ends("a");
    run.ends("b", "done", { result: "1" });
    run.fails("risky");
    run.ends("c", "done", { result: "2" });
    expect(run.statuses).toMatchObject({ risky: "failed", b: "completed", c: "completed", d: "active" });
    expect([run.step("b")?.result, run.step("c")?.result]).toEqual([3, 5]);
    const fatal = begun(
      flow(
        [a, b],
        [
          [a, done],
          [b, done],
        ],
      ),
    );
    fatal.fails("a");
    expect(fatal.ends("b", "done", { result: "1" })).toBe("recorded");
    expect(fatal.step("b")).toMatchObject({ status: "completed", result: 3 });
  });

  it("LESSONS 11: what is cancelled ends cancelled, and completes no more", () => {
    const run = begun(
      flow(
        [a],
        [
          [a, b],
          [b, done],
        ],
      ),
    );
    run.control("cancel");
    expect(run.ends("a")).toBe("recorded");
    expect(run.step("b")).toBeUndefined();
    expect(run.state.status).toBe("cancelled");
    expect(run.ends("a")).toBe("ignored");
    expect(run.state.status).toBe("cancelled");
  });

  it("LESSONS 8: an attempt that never comes back is repeated under a new token, and not for ever", () => {
    const run = begun(flow([a], [[a, done]]));
    for (let count = 0; count < MAX_INTERRUPTIONS; count++) run.do({ type: "interrupted" });
    expect(run.state.status).toBe("failed");
    expect(run.ends("a", "done", { attempt: 1 })).toBe("ignored");
  });
});
