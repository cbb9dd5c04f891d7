import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, pending, wait, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun } from "../testing/engine-run.ts";
import { decide } from "./decide.ts";
import { INBOX_LENGTH_MAX } from "./limits.ts";

const any = type<unknown>();
const SECOND = { seconds: 1 };
const code = (expected: string) => expect.objectContaining({ code: expected });

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start();
  return run;
}

const first = defineStep({ name: "first", run: () => {} });
const one = waitForEvent({ name: "one", events: { go: any } });
const two = waitForEvent({ name: "two", events: { go: any } });

/** first runs, then one waits; two waits from the start. */
const twoWaits = defineWorkflow({
  name: "two_waits",
  input: any,
  start: [first, two],
  transitions: ({ on }) => [on(first, { done: one }), on(one, { go: done }), on(two, { go: done })],
});

/** One wait of one second, after another step. */
const hurried = waitForEvent({ name: "hurried", events: { go: any }, timeout: SECOND });
const deadline = defineWorkflow({
  name: "deadline",
  input: any,
  start: first,
  transitions: ({ on }) => [on(first, { done: hurried }), on(hurried, { go: done, timeout: done })],
});

describe("an event", () => {
  it("that comes early waits in the inbox for the step that will wait for it", () => {
    const run = begun(deadline);
    expect(run.event("go", { commandId: "e", payload: '{"amount":1}' })).toBe("queued");
    expect([...run.state.inbox.keys()]).toEqual(["e"]);
    const { revision } = run.state;
    run.ends("first");
    // Its payload stands where the event came; the step has it from now on.
    const given = { taken: "e", result: revision, takenAt: revision + 1 };
    expect(run.step("hurried")).toEqual({ status: "completed", event: "go", ...given });
    expect(run.state.inbox.size).toBe(0);
    expect(run.state.status).toBe("completed");
  });

  it("goes to the step that has waited longest, then to the next", () => {
    const run = begun(twoWaits);
    run.ends("first");
    expect(run.event("go", { commandId: "a" })).toBe("delivered");
    expect(run.event("go", { commandId: "b" })).toBe("delivered");
    expect([run.step("two")?.taken, run.step("one")?.taken]).toEqual(["a", "b"]);
  });

  it("goes to the step that waits longest, however long another one ran before it was pending", () => {
    const slow = defineStep({ name: "slow", events: ["go"], run: () => pending() });
    const quick = defineStep({ name: "quick", run: () => {} });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: [slow, quick],
      transitions: ({ on }) => [on(slow, { go: done }), on(quick, { done: one }), on(one, { go: done })],
    });
    const run = begun(flow);
    run.ends("quick");
    run.do({ type: "pending", step: "slow", attempt: 1 });
    run.event("go");
    expect(run.statuses).toEqual({ slow: "waiting", quick: "completed", one: "completed" });
  });

  it("that names a step goes to that one alone", () => {
    const run = begun(twoWaits);
    run.ends("first");
    run.event("go", { step: "one" });
    expect(run.statuses).toMatchObject({ one: "completed", two: "waiting" });
  });

  it("that names a step waits for it, though another one waits for such events", () => {
    const run = begun(twoWaits);
    expect(run.event("go", { step: "one" })).toBe("queued");
    expect(run.step("two")?.status).toBe("waiting");
    run.ends("first");
    expect(run.statuses).toMatchObject({ one: "completed", two: "waiting" });
  });

  it("that comes twice with one id is answered like the first, and is one event", () => {
    const run = begun(twoWaits);
    expect(run.event("go", { commandId: "same" })).toBe("delivered");
    const { revision } = run.state;
    expect(run.event("go", { commandId: "same" })).toBe("delivered");
    expect(run.state.revision).toBe(revision);
    run.ends("first");
    expect(run.step("one")?.status).toBe("waiting");
  });

  it("that comes twice in one commit with one id is one event", () => {
    const run = begun(twoWaits);
    const event = { type: "event", commandId: "same", event: "go" } as const;
    expect(run.send(event, event)).toEqual([{ value: "delivered" }, { value: "delivered" }]);
    expect(run.state.inbox.size).toBe(0);
  });

  it("that no unsettled step can take is not expected", () => {
    const run = begun(twoWaits);
    run.event("go");
    run.ends("first");
    expect(() => run.event("go", { step: "two" })).toThrow(code("EVENT_NOT_EXPECTED"));
    run.event("go");
    expect(() => run.event("go")).toThrow(code("STATUS_REFUSES"));
  });

  it("is not expected by a step that has its event and is still to choose", () => {
    const chooses = waitForEvent({ name: "chooses", events: { go: any } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: chooses,
      transitions: ({ on, choose }) => [
        on(chooses, { go: choose([first, done], () => done) }),
        on(first, { done: done }),
      ],
    });
    const run = begun(flow);
    run.event("go");
    expect(run.pending.choose).toEqual(["chooses"]);
    expect(() => run.event("go")).toThrow(code("EVENT_NOT_EXPECTED"));
  });

  it("that no step declares, or not the one that is named, or of a step that is not there, is refused", () => {
    const run = begun(twoWaits);
    expect(() => run.event("nonsense")).toThrow(code("EVENT_UNDECLARED"));
    expect(() => run.event("go", { step: "first" })).toThrow(code("EVENT_UNDECLARED"));
    expect(() => run.event("go", { step: "nobody" })).toThrow(code("UNKNOWN_STEP"));
    expect(run.state.revision).toBe(1);
  });

  it("timeout can be sent to a step that declares it itself, but is not sent in place of a deadline", () => {
    const own = waitForEvent({ name: "own", events: { timeout: any } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: own,
      transitions: ({ on }) => [on(own, { timeout: done })],
    });
    expect(begun(flow).event("timeout")).toBe("delivered");
    expect(() => begun(deadline).event("timeout")).toThrow(code("EVENT_UNDECLARED"));
  });

  it("that is one more than an inbox holds is refused, unless a step takes it at once", () => {
    const run = begun(twoWaits);
    // Folded by hand: ten thousand decisions with all checks take their time.
    for (let index = 0; index < INBOX_LENGTH_MAX; index++) {
      const id = `e${index}`;
      run.state.inbox.set(id, { id, event: "go", step: "one", revision: 1, at: 0 });
    }
    const full = expect.objectContaining({
      code: "LIMIT_EXCEEDED",
      details: { limit: "INBOX_LENGTH_MAX", most: INBOX_LENGTH_MAX },
    });
    const decision = engineDecision(run, { type: "event", commandId: "x", event: "go", step: "one" });
    expect(decision.replies[0]?.error).toEqual(full);
    expect(engineDecision(run, { type: "event", commandId: "x", event: "go" }).replies).toEqual([
      { value: "delivered" },
    ]);
  });
});

describe("a deadline", () => {
  it("loses against an event that was accepted before it", () => {
    const run = begun(deadline);
    run.ends("first");
    run.now += 999;
    expect(run.event("go")).toBe("delivered");
    expect(run.step("hurried")?.event).toBe("go");
  });

  it.each([0, 1])("wins against an event that comes %s ms after it, though the timer has not fired yet", (late) => {
    const run = begun(deadline);
    run.ends("first");
    run.now += 1_000 + late;
    expect(() => run.event("go")).toThrow(code("STATUS_REFUSES"));
    expect(run.step("hurried")?.event).toBe("timeout");
    expect(run.state.status).toBe("completed");
  });

  it("that passed during a pause loses against an event accepted before it", () => {
    const run = begun(deadline);
    run.ends("first");
    run.control("pause");
    run.now += 999;
    expect(run.event("go")).toBe("queued");
    run.pass(10_000);
    run.control("unpause");
    expect(run.step("hurried")?.event).toBe("go");
  });

  it.each([0, 1])("that passed during a pause wins against an event accepted %s ms after it", (late) => {
    const run = begun(deadline);
    run.ends("first");
    run.control("pause");
    run.now += 1_000 + late;
    expect(run.event("go")).toBe("queued");
    run.control("unpause");
    expect(run.step("hurried")?.event).toBe("timeout");
    expect([...run.state.inbox.values()].map(({ event }) => event)).toEqual(["go"]);
  });

  it("begins when the wait begins, not when the run does, and an event that waited longer is in time", () => {
    const run = begun(deadline);
    run.event("go");
    run.pass(10_000);
    run.ends("first");
    expect(run.step("hurried")?.event).toBe("go");
  });

  it("of a step that an event finished does not fire later", () => {
    const after = wait({ name: "after", for: { hours: 1 } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: hurried,
      transitions: ({ on }) => [on(hurried, { go: after, timeout: done }), on(after, { done: done })],
    });
    const run = begun(flow);
    run.event("go");
    run.pass(1_000);
    expect(run.statuses).toEqual({ hurried: "completed", after: "waiting" });
    expect(run.pending.wakeAt).toBe(1_000 + 3_600_000);
  });
});

describe("a pause", () => {
  it("keeps events also from steps that begin to wait during it", () => {
    const run = begun(deadline);
    run.control("pause");
    run.event("go");
    run.ends("first");
    expect(run.step("hurried")?.status).toBe("waiting");
    run.control("unpause");
    expect(run.step("hurried")?.event).toBe("go");
  });

  it("lets events go, when it is over, in the order in which they came", () => {
    const run = begun(twoWaits);
    run.ends("first");
    run.control("pause");
    run.event("go", { commandId: "a" });
    run.event("go", { commandId: "b" });
    run.control("unpause");
    expect([run.step("two")?.taken, run.step("one")?.taken]).toEqual(["a", "b"]);
  });

  it("lets an event go to the step that the event before it led to", () => {
    const again = waitForEvent({ name: "again", events: { go: any } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: one,
      transitions: ({ on }) => [on(one, { go: again }), on(again, { go: done })],
    });
    const run = begun(flow);
    run.control("pause");
    run.event("go", { commandId: "a" });
    run.event("go", { commandId: "b" });
    run.control("unpause");
    expect([run.step("one")?.taken, run.step("again")?.taken]).toEqual(["a", "b"]);
    expect(run.state.status).toBe("completed");
  });
});

describe("events that were kept", () => {
  it("go one after the other, each with what follows from it: none to a step that the one before it ended", () => {
    const slow = waitForEvent({ name: "slow", events: { come: any } });
    const join = defineStep({ name: "join", join: "any", cancelRest: true, run: () => {} });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: [one, slow],
      transitions: ({ on }) => [on(one, { go: join }), on(slow, { come: join }), on(join, { done: done })],
    });
    const run = begun(flow);
    run.control("pause");
    run.event("go");
    run.event("come");
    run.control("unpause");
    expect(run.statuses).toEqual({ one: "completed", slow: "cancelled", join: "active" });
    expect([...run.state.inbox.values()].map(({ event }) => event)).toEqual(["come"]);
  });
});

describe("a step that is pending", () => {
  const asks = defineStep({ name: "asks", events: ["yes", "no"], run: () => pending() });
  const flow = defineWorkflow({
    name: "flow",
    input: any,
    start: asks,
    transitions: ({ on }) => [on(asks, { yes: done, no: done })],
  });

  it("waits without a driver, and ends with one of its events", () => {
    const run = begun(flow);
    run.do({ type: "pending", step: "asks", attempt: 1 });
    expect(run.state.status).toBe("waiting");
    expect(run.pending).toMatchObject({ run: [], wakeAt: undefined });
    expect(run.event("yes", { payload: "1" })).toBe("delivered");
    expect(run.step("asks")).toMatchObject({ status: "completed", event: "yes", startedAt: 1_000 });
  });

  it("takes the event that came while it ran", () => {
    const run = begun(flow);
    expect(run.event("no")).toBe("queued");
    expect(run.do({ type: "pending", step: "asks", attempt: 1 })).toBe("recorded");
    expect(run.step("asks")).toMatchObject({ status: "completed", event: "no" });
  });

  it("ends by the timer that scheduleResume gives it", () => {
    const run = begun(flow);
    run.do({ type: "pending", step: "asks", attempt: 1 });
    // Nothing says which of its events.
    expect(() => run.do({ type: "schedule", commandId: "r", step: "asks", delayMs: 500 })).toThrow(
      code("OPTION_INVALID"),
    );
    const reply = run.do({ type: "schedule", commandId: "s", step: "asks", event: "no", delayMs: 500 });
    expect(reply).toEqual({ wakeAt: 1_500 });
    expect(run.pending.wakeAt).toBe(1_500);
    run.pass(499);
    expect(run.step("asks")?.status).toBe("waiting");
    run.pass(1);
    expect(run.step("asks")).toMatchObject({ status: "completed", event: "no" });
  });
});

describe("scheduleResume", () => {
  const schedule = (run: EngineRun, more: object = {}) =>
    run.do({ type: "schedule", commandId: "s", step: "two", event: "go", delayMs: 500, ...more });

  it("is done once for one id", () => {
    const run = begun(twoWaits);
    schedule(run);
    run.now += 100;
    expect(schedule(run)).toEqual({ wakeAt: 1_500 });
    expect(run.step("two")?.wakeAt).toBe(1_500);
  });

  it("sets another time when it is asked again", () => {
    const run = begun(twoWaits);
    schedule(run);
    schedule(run, { commandId: "t", delayMs: 900 });
    run.pass(500);
    expect(run.step("two")?.status).toBe("waiting");
    run.pass(400);
    expect(run.step("two")?.event).toBe("go");
  });

  it("takes the place of the step's own timeout, sooner and later", () => {
    const run = begun(deadline);
    run.ends("first");
    const set = (commandId: string, delayMs: number) =>
      run.do({ type: "schedule", commandId, step: "hurried", delayMs });
    set("later", 5_000);
    run.pass(4_999);
    expect(run.step("hurried")?.status).toBe("waiting");
    set("sooner", 100);
    run.pass(99);
    expect(run.step("hurried")?.status).toBe("waiting");
    run.pass(1);
    expect(run.step("hurried")?.event).toBe("timeout");
  });

  it("moves the deadline: an event before it wins, one at it is too late", () => {
    for (const [delayMs, event] of [
      [5_001, "go"],
      [5_000, "timeout"],
    ] as const) {
      const run = begun(deadline);
      run.ends("first");
      run.do({ type: "schedule", commandId: "later", step: "hurried", delayMs });
      run.now += 5_000;
      if (event === "go") run.event("go");
      else expect(() => run.event("go")).toThrow(code("STATUS_REFUSES"));
      run.pass(0);
      expect(run.step("hurried")?.event).toBe(event);
    }
  });

  it("is refused for steps that do not wait, do not exist or have no such event, and by what has ended", () => {
    const run = begun(twoWaits);
    expect(() => schedule(run, { step: "one" })).toThrow(code("EVENT_NOT_EXPECTED"));
    expect(() => schedule(run, { step: "first", event: "done" })).toThrow(code("EVENT_NOT_EXPECTED"));
    expect(() => schedule(run, { step: "nobody" })).toThrow(code("UNKNOWN_STEP"));
    expect(() => schedule(run, { event: "nonsense" })).toThrow(code("EVENT_UNDECLARED"));
    run.control("cancel");
    expect(() => schedule(run)).toThrow(code("STATUS_REFUSES"));
  });

  it("does not fire while the run is paused", () => {
    const run = begun(twoWaits);
    schedule(run);
    run.control("pause");
    run.pass(10_000);
    expect(run.step("two")?.status).toBe("waiting");
    run.control("unpause");
    expect(run.step("two")?.event).toBe("go");
  });
});

describe("timers", () => {
  it("that are due together fire the earliest first, each with what follows from it", () => {
    const short = wait({ name: "short", for: SECOND });
    const long = wait({ name: "long", for: { seconds: 2 } });
    const join = defineStep({ name: "join", join: "any", cancelRest: true, run: () => {} });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: [long, short],
      transitions: ({ on }) => [on(short, { done: join }), on(long, { done: join }), on(join, { done: done })],
    });
    const run = begun(flow);
    run.pass(5_000);
    // As if it had been woken in time.
    expect(run.statuses).toEqual({ long: "cancelled", short: "completed", join: "active" });
  });

  it("never fire early, and not when the clock jumps back", () => {
    const run = begun(deadline);
    run.ends("first");
    run.pass(-100_000);
    expect(run.step("hurried")?.status).toBe("waiting");
    run.pass(100_999);
    expect(run.step("hurried")?.status).toBe("waiting");
    run.pass(1);
    expect(run.step("hurried")?.event).toBe("timeout");
  });

  it("of no length fire at the next wake", () => {
    const none = wait({ name: "none", for: { seconds: 0 } });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: none,
      transitions: ({ on }) => [on(none, { done: done })],
    });
    const run = begun(flow);
    expect(run.pending.wakeAt).toBe(run.now);
    run.pass(0);
    expect(run.state.status).toBe("completed");
  });
});

function engineDecision(run: EngineRun, command: Parameters<typeof decide>[2][number]) {
  return decide(run.graph, run.state, [command], { now: run.now });
}
