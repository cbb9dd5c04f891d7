import { describe, expect, it } from "vitest";
import { dyingStorage, engines, keyed, stage } from "../../test/stage.ts";
import {
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  emit,
  memoryStorage,
  NonRetryableError,
  pending,
  type Storage,
  type,
  wait,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

describe("one runner", () => {
  it("commits parallel results as they come", async () => {
    const { gate, gated, plain } = stage();
    const [slow, fast, join] = [gated("slow"), plain("fast"), plain("join")];
    const flow = keyed("flow", {
      start: [slow, fast],
      on: ({ on }) => [on(slow, { done: join }), on(fast, { done: join }), on(join, { done })],
    });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], clock });
    const started = await engine.for(flow).start("1", {});
    await clock.settle();
    const { steps } = await started.get();
    expect([steps.fast?.status, steps.slow?.status]).toEqual(["completed", "active"]);
    gate("slow").resolve("late");
    await started.result();
    expect((await started.get()).steps.slow?.result).toBe("late");
  });

  it("LESSONS 2: a waiting step does not stall its siblings", async () => {
    const { plain } = stage();
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const [e2, e3] = [plain("e2"), plain("e3")];
    const flow = keyed("flow", {
      start: [hold, e2],
      on: ({ on }) => [on(hold, { go: done }), on(e2, { done: e3 }), on(e3, { done })],
    });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], clock });
    const started = await engine.for(flow).start("1", {});
    await clock.settle();
    const view = await started.get();
    expect([view.status, view.steps.e3?.status]).toEqual(["waiting", "completed"]);
  });

  it("an instance names the one that started it, and is found by that", async () => {
    const { plain } = stage();
    const step = plain("step");
    const flow = keyed("flow", { start: step, on: ({ on }) => [on(step, { done })] });
    const flows = createHephaestus({ workflows: [flow] }).for(flow);
    const parent = await flows.start("1", {});
    const child = await flows.start("2", {}, { parent: parent.id });
    expect((await child.get()).parent).toBe(parent.id);
    expect((await flows.list({ parent: parent.id })).items.map(({ id }) => id)).toEqual([child.id]);
    await expect(flows.start("3", {}, { parent: "" })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { field: "parent" },
    });
  });

  it("runs at most so many steps at once", async () => {
    let running = 0;
    let most = 0;
    const steps = Array.from({ length: 20 }, (_, n) =>
      defineStep({
        name: `s${n}`,
        run: async () => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          await new Promise((resolve) => setTimeout(resolve, 0));
          running -= 1;
        },
      }),
    );
    const flow = keyed("flow", { start: steps, on: ({ on }) => steps.map((step) => on(step, { done })) });
    const engine = createHephaestus({ workflows: [flow], local: { concurrency: 3 } });
    await (await engine.for(flow).start("1", {})).result();
    expect(most).toBe(3);
  });

  it("LESSONS 7: a step that throws is tried again with back-off, and harms no other workflow", async () => {
    let tries = 0;
    const shaky = defineStep({
      name: "shaky",
      retry: { maxAttempts: 4, initial: { seconds: 1 }, jitter: false },
      run: () => {
        if (++tries < 3) throw new Error(`try ${tries}`);
        return tries;
      },
    });
    const { plain } = stage();
    const calm = plain("calm");
    const shakyFlow = keyed("shaky_flow", { start: shaky, on: ({ on }) => [on(shaky, { done })] });
    const calmFlow = keyed("calm_flow", { start: calm, on: ({ on }) => [on(calm, { done })] });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [shakyFlow, calmFlow], clock });
    const started = await engine.for(shakyFlow).start("1", {});
    await (await engine.for(calmFlow).start("1", {})).result();
    await clock.settle();
    expect((await started.get()).steps.shaky).toMatchObject({
      status: "active",
      failures: 1,
      error: { message: "try 1" },
    });
    await clock.advance(999);
    expect(tries).toBe(1);
    await clock.advance(1);
    expect(tries).toBe(2);
    await clock.advance(2_000);
    expect(tries).toBe(3);
    expect((await started.get()).status).toBe("completed");
  });

  it("LESSONS 8: a step longer than any interval is run once", async () => {
    const { runs, gate, gated } = stage();
    const long = gated("long");
    const flow = keyed("flow", { start: long, on: ({ on }) => [on(long, { done })] });
    const clock = virtualClock();
    const [one] = engines({ workflows: [flow], clock, storage: memoryStorage() }, 2);
    const started = await (one as NonNullable<typeof one>).for(flow).start("1", {});
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    gate("long").resolve(1);
    await clock.settle();
    expect((await started.get()).status).toBe("completed");
    expect(runs).toEqual(["1long@1"]);
  });

  it("LESSONS 9: an exhausted step fails the run, with the reason in the history", async () => {
    const no = defineStep({
      name: "no",
      run: () => {
        throw new NonRetryableError("not today", { cause: new TypeError("deep") });
      },
    });
    const flow = keyed("flow", { start: no, on: ({ on }) => [on(no, { done })] });
    const engine = createHephaestus({ workflows: [flow] });
    const started = await engine.for(flow).start("1", {});
    await expect(started.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "no" } });
    const failed = (await started.history()).find((entry) => entry.type === "step" && entry.status === "failed");
    expect(failed).toMatchObject({
      error: { name: "NonRetryableError", message: "not today", cause: { name: "TypeError" } },
    });
  });

  it("times an attempt out, aborts it, and ignores what it returns afterwards", async () => {
    const { gate } = stage();
    let aborted = false;
    const slow = defineStep({
      name: "slow",
      timeout: { seconds: 1 },
      retry: { maxAttempts: 1 },
      run: async ({ signal }) => {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
        return gate("slow").promise as Promise<string>;
      },
    });
    const flow = keyed("flow", { start: slow, on: ({ on }) => [on(slow, { done })] });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], clock });
    const started = await engine.for(flow).start("1", {});
    await clock.advance(1_000);
    gate("slow").resolve("too late");
    await clock.settle();
    const view = await started.get();
    expect([aborted, view.status, view.error?.code]).toEqual([true, "failed", "STEP_TIMEOUT"]);
  });

  it("a checkpoint runs its effect once over all attempts", async () => {
    let effects = 0;
    let tries = 0;
    const pay = defineStep({
      name: "pay",
      retry: { initial: { milliseconds: 1 }, jitter: false },
      run: async ({ checkpoint }) => {
        const id = await checkpoint("charge", () => `p${++effects}`);
        if (++tries === 1) throw new Error("after the effect");
        return id;
      },
    });
    const flow = keyed("flow", { start: pay, on: ({ on }) => [on(pay, { done })] });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], clock });
    const started = await engine.for(flow).start("1", {});
    await clock.advance(10);
    expect((await started.get()).steps.pay).toMatchObject({ result: "p1", failures: 1 });
    expect(effects).toBe(1);
  });

  it("a pending step waits for its event, or for the time that scheduleResume gives it", async () => {
    const ask = defineStep({
      name: "ask",
      events: ["yes", "timeout"],
      run: () => (Date.now() > 0 ? pending() : emit("yes", 1)),
    });
    const flow = keyed("flow", { start: ask, on: ({ on }) => [on(ask, { yes: done, timeout: done })] });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], clock });
    const flows = engine.for(flow);
    await flows.start("1", {});
    await clock.settle();
    await flows.scheduleResume("1", "ask", { minutes: 5 });
    await clock.advance(5 * 60_000);
    expect((await flows.get("1")).steps.ask?.event).toBe("timeout");
    await flows.start("2", {});
    await clock.settle();
    expect(await flows.resume("2", "yes", { n: 2 })).toBe("delivered");
    expect((await flows.get("2")).steps.ask).toMatchObject({ event: "yes", result: { n: 2 } });
  });

  it("a choice goes where it says; an undeclared one fails its step", async () => {
    const { plain } = stage();
    const [first, left, right] = [plain("first"), plain("left"), plain("right")];
    const flow = defineWorkflow({
      name: "flow",
      input: type<{ to: "left" | "right" | "nowhere" }>(),
      unique: { key: "n" },
      start: first,
      transitions: ({ on, choose }) => [
        on(first, {
          done: choose([left, right], ({ input }) => (input.to === "left" ? left : input.to === "right" ? right : [])),
        }),
        on(left, { done }),
        on(right, { done }),
      ],
    });
    const engine = createHephaestus({ workflows: [flow] });
    const started = await engine.for(flow).start("1", { to: "right" });
    await started.result();
    const { steps } = await started.get();
    expect([steps.left?.status, steps.right?.status]).toEqual(["skipped", "completed"]);
    const bad = await engine.for(flow).start("2", { to: "nowhere" });
    await expect(bad.result()).rejects.toMatchObject({ cause: { code: "CHOICE_UNDECLARED" } });
  });

  it("LESSONS 15: what was left by a process that is gone goes on when another starts", async () => {
    const { runs, gate, gated, plain } = stage();
    const [half, rest] = [gated("half"), plain("rest")];
    const flow = keyed("flow", { start: half, on: ({ on }) => [on(half, { done: rest }), on(rest, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    const dying = dyingStorage(storage);
    const dead = createHephaestus({ workflows: [flow], storage: dying.storage, clock });
    await dead.for(flow).start("1", {});
    await clock.settle();
    dying.faults.dead = true;
    expect(runs).toEqual(["1half@1"]);
    // The first process is gone: its storage answers no more, its lease runs out.
    const alive = createHephaestus({ workflows: [flow], storage, clock });
    await clock.advance(31_000);
    expect(runs).toEqual(["1half@1", "1half@2"]);
    gate("half").resolve(1);
    await clock.settle();
    const view = await alive.for(flow).get("1");
    expect([view.status, view.steps.half?.interruptions]).toEqual(["completed", 1]);
  });

  it("a timer longer than any process's life fires when a process is there", async () => {
    const nap = wait({ name: "nap", for: { days: 40 } });
    const flow = keyed("flow", { start: nap, on: ({ on }) => [on(nap, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    const first = createHephaestus({ workflows: [flow], storage, clock });
    await first.for(flow).start("1", {});
    await first.close();
    await clock.advance(41 * 24 * 3_600_000);
    const second = createHephaestus({ workflows: [flow], storage, clock });
    await clock.advance(1);
    expect((await second.for(flow).get("1")).status).toBe("completed");
    await second.close();
  });

  it("an instance whose code has another graph is parked untouched, and goes on when the code is back", async () => {
    const { plain } = stage();
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const extra = plain("extra");
    const before = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
    const after = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: extra }), on(extra, { done })] });
    const storage = memoryStorage();
    const one = createHephaestus({ workflows: [before], storage });
    await one.for(before).start("1", {});
    await one.close();
    const two = createHephaestus({ workflows: [after], storage });
    expect(await two.for(after).get("1")).toMatchObject({ parked: true, status: "waiting" });
    await expect(two.for(after).retry("1")).rejects.toMatchObject({ code: "PARKED" });
    await two.close();
    const three = createHephaestus({ workflows: [before], storage });
    expect(await three.for(before).resume("1", "go")).toBe("delivered");
    await three.close();
  });

  it("after close every call is refused", async () => {
    const { plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const engine = createHephaestus({ workflows: [flow] });
    await engine.close();
    await expect(engine.for(flow).start("1", {})).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("a close that is asked for twice ends for both when what runs has ended", async () => {
    const { gated, gate } = stage();
    const slow = gated("slow");
    const flow = keyed("flow", { start: slow, on: ({ on }) => [on(slow, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock });
    const { id } = await engine.for(flow).start("1", {});
    await clock.settle();
    const ended: string[] = [];
    void engine.close().then(() => ended.push("first"));
    void engine.close().then(() => ended.push("second"));
    await clock.settle();
    expect(ended).toEqual([]);
    gate("slow").resolve(1);
    await clock.settle();
    expect(ended).toEqual(["first", "second"]);
    const records = await storage.load(id);
    expect(records?.at(-1)?.changes).toMatchObject({ status: "completed" });
  });

  it("a compensation that a closing runner gave up does not begin again while it gives back what else runs", async () => {
    const { gated } = stage();
    const undone: string[] = [];
    const charge = defineStep({
      name: "charge",
      run: () => 1,
      compensate: ({ instance }) => {
        undone.push(instance.id);
        return new Promise<void>(() => {});
      },
    });
    const broken = defineStep({
      name: "broken",
      run: () => {
        throw new NonRetryableError("no");
      },
    });
    const failing = keyed("failing", {
      start: charge,
      on: ({ on }) => [on(charge, { done: broken }), on(broken, { done })],
    });
    const slow = gated("slow");
    const running = keyed("running", { start: slow, on: ({ on }) => [on(slow, { done })] });
    const memory = memoryStorage();
    const held: (() => void)[] = [];
    let holds = false;
    const storage: Storage = {
      ...memory,
      async commit(commits) {
        if (holds) await new Promise<void>((answer) => held.push(answer));
        return memory.commit(commits);
      },
    };
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [failing, running], storage, clock });
    const { id } = await engine.for(failing).start("1", {});
    await clock.settle();
    await engine.for(running).start("1", {});
    await clock.settle();
    // The leases of both are renewed, and before that is answered both are given up.
    holds = true;
    await clock.advance(15_000);
    const closing = engine.close();
    await clock.advance(6_000);
    held.shift()?.();
    await clock.settle();
    // What else ran is being given back now.
    expect([undone, held.length]).toEqual([[id], 1]);
    held.shift()?.();
    await closing;
    expect(undone).toEqual([id]);
  });

  it("a start without a key that is sent again finds the run that it made", async () => {
    const { runs, plain } = stage();
    const one = plain("one");
    const flow = defineWorkflow({
      name: "flow",
      input: type<unknown>(),
      start: one,
      transitions: ({ on }) => [on(one, { done })],
    });
    const engine = createHephaestus({ workflows: [flow] });
    const first = await engine.for(flow).start({}, { id: "start-1" });
    const again = await engine.for(flow).start({}, { id: "start-1" });
    const other = await engine.for(flow).start({}, { id: "start-2" });
    expect([again.id === first.id, other.id === first.id]).toEqual([true, false]);
    await Promise.all([first.result(), other.result()]);
    expect(runs.length).toBe(2);
  });

  it("a restart starts the next run with the same input, once for its id, and only after the end", async () => {
    const { gate, gated } = stage();
    const one = gated("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const engine = createHephaestus({ workflows: [flow] });
    const flows = engine.for(flow);
    await flows.start("1", { n: 7 });
    await expect(flows.restart("1")).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    gate("one").resolve(1);
    await flows.result("1");
    const second = await flows.restart("1", { id: "again" });
    await second.result();
    expect((await flows.restart("1", { id: "again" })).run).toBe(2);
    expect(await flows.get("1")).toMatchObject({ run: 2, input: { n: 7 } });
  });

  it("an id that another command had is refused, and nothing is lost", async () => {
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
    const engine = createHephaestus({ workflows: [flow] });
    const flows = engine.for(flow);
    await flows.start("1", {}, { id: "same" });
    await expect(flows.resume("1", "go", undefined, { id: "same" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect((await flows.get("1")).status).toBe("waiting");
  });

  it("a deleted instance leaves its tombstone, and that only until its commands cannot come again", async () => {
    const { plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    const engine = createHephaestus({
      workflows: [flow],
      storage,
      clock,
      local: { leaseMs: 7_200_000, sweepMs: 3_600_000 },
    });
    const started = await engine.for(flow).start("1", {}, { id: "s" });
    await clock.settle();
    await started.delete();
    await clock.settle();
    expect((await storage.load(started.id))?.map(({ changes }) => changes.status)).toEqual(["deleted"]);
    expect((await engine.list()).items).toEqual([]);
    expect((await engine.for(flow).start("1", {}, { id: "s" })).run).toBe(1);
    for (let hour = 0; hour < 25; hour++) await clock.advance(3_600_000);
    expect(await storage.load(started.id)).toBeUndefined();
  });

  it("a run that completed while it was paused refuses to go on", async () => {
    const { gate, gated } = stage();
    const one = gated("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const clock = virtualClock();
    const flows = createHephaestus({ workflows: [flow], clock }).for(flow);
    await flows.start("1", {});
    await clock.settle();
    await flows.pause("1");
    gate("one").resolve(1);
    await clock.settle();
    expect((await flows.get("1")).status).toBe("completed");
    await expect(flows.unpause("1")).rejects.toMatchObject({ code: "STATUS_REFUSES" });
  });
});
