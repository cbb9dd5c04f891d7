import { describe, expect, it } from "vitest";
import { HephaestusError } from "../definition/errors.ts";
import { type } from "../definition/schema.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { defineStep, done, emit, NonRetryableError, pending, wait, waitForEvent } from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { createHephaestus, type HephaestusOptions } from "./hephaestus.ts";
import { memoryStorage } from "./memory-storage.ts";
import type { Commit, Storage } from "./storage.ts";

/** Steps that wait for the test, and a list of their runs. */
function stage() {
  const runs: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<unknown>>();
  const gate = (name: string) => {
    const existing = gates.get(name) ?? Promise.withResolvers<unknown>();
    gates.set(name, existing);
    return existing;
  };
  const gated = <const Name extends string>(name: Name) =>
    defineStep({
      name,
      run: async ({ attempt, instance }) => {
        runs.push(`${instance.key ?? ""}${name}@${attempt}`);
        return (await gate(name).promise) ?? null;
      },
    });
  const plain = <const Name extends string>(name: Name) =>
    defineStep({
      name,
      run: ({ attempt, instance }) => {
        runs.push(`${instance.key ?? ""}${name}@${attempt}`);
        return name;
      },
    });
  return { runs, gate, gated, plain };
}

function keyed(
  name: string,
  steps: {
    start: Parameters<typeof defineWorkflow>[0]["start"];
    on: Parameters<typeof defineWorkflow>[0]["transitions"];
  },
) {
  return defineWorkflow({
    name,
    input: type<unknown>(),
    unique: { key: "n" },
    start: steps.start,
    transitions: steps.on,
  });
}

function engines(options: HephaestusOptions, count = 2) {
  return Array.from({ length: count }, () =>
    createHephaestus({ ...options, local: { leaseMs: 1_000, sweepMs: 200, ...options.local } }),
  );
}

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
    await expect(two.for(after).cancel("1")).rejects.toMatchObject({ code: "PARKED" });
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
});

/** A storage that can die, answer late, or lose the answer of a commit that it made. */
function dyingStorage(storage: Storage) {
  const faults = { dead: false, loseAnswer: (_commit: Commit) => false, refuse: (_commit: Commit) => false };
  return {
    faults,
    storage: {
      ...storage,
      commit: async (commits: readonly Commit[]) => {
        if (faults.dead) return new Promise<never>(() => {});
        if (commits.some(faults.refuse)) throw new HephaestusError("STORAGE_UNAVAILABLE", "not written");
        const results = await storage.commit(commits);
        if (commits.some(faults.loseAnswer))
          throw new HephaestusError("STORAGE_UNAVAILABLE", "written, but not heard of");
        return results;
      },
    } satisfies Storage,
  };
}

describe("commits whose answer is lost", () => {
  for (const [what, nth] of [
    ["the start", 0],
    ["the first result", 1],
    ["the last result", 2],
  ] as const) {
    it(`${what}: nothing runs twice, nothing is refused to its author`, async () => {
      const { runs, plain } = stage();
      const [one, two] = [plain("one"), plain("two")];
      const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done: two }), on(two, { done })] });
      const { storage, faults } = dyingStorage(memoryStorage());
      const clock = virtualClock();
      const engine = createHephaestus({ workflows: [flow], storage, clock });
      faults.loseAnswer = (commit) => commit.expected === nth;
      const starting = engine.for(flow).start("1", {});
      await clock.advance(60_000);
      const started = await starting;
      expect((await started.get()).status).toBe("completed");
      expect(runs).toEqual(["1one@1", "1two@1"]);
    });
  }

  it("a commit that was not made is made again", async () => {
    const { runs, plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const { storage, faults } = dyingStorage(memoryStorage());
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock });
    let refusals = 3;
    faults.refuse = () => refusals-- > 0;
    const starting = engine.for(flow).start("1", {});
    await clock.advance(60_000);
    expect((await (await starting).get()).status).toBe("completed");
    expect(runs).toEqual(["1one@1"]);
  });

  it("an event whose answer was lost is delivered once, and answered as delivered", async () => {
    const hold = waitForEvent({ name: "hold", events: { go: type<number>() } });
    const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
    const { storage, faults } = dyingStorage(memoryStorage());
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock });
    await engine.for(flow).start("1", {});
    faults.loseAnswer = (commit) => commit.changes.inbox !== undefined;
    const sending = engine.for(flow).resume("1", "go", 7);
    await clock.advance(1_000);
    expect(await sending).toBe("delivered");
    const history = await engine.for(flow).history("1");
    expect(history.filter((entry) => entry.type === "event").length).toBe(1);
  });
});

describe("several runners on one storage", () => {
  it("an event sent through another runner reaches the one that drives", async () => {
    const { gate, gated, plain } = stage();
    const busy = gated("busy");
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const after = plain("after");
    const flow = keyed("flow", {
      start: [busy, hold],
      on: ({ on }) => [on(busy, { done }), on(hold, { go: after }), on(after, { done })],
    });
    const clock = virtualClock();
    const [one, two] = engines({ workflows: [flow], storage: memoryStorage(), clock });
    const started = await (one as NonNullable<typeof one>).for(flow).start("1", {});
    await clock.settle();
    expect(await (two as NonNullable<typeof two>).for(flow).resume("1", "go")).toBe("delivered");
    await clock.settle();
    expect((await started.get()).steps.after?.status).toBe("completed");
    gate("busy").resolve(1);
    await clock.settle();
    expect((await started.get()).status).toBe("completed");
  });

  it("one that was taken over cannot commit any more, and its late result counts for nothing", async () => {
    const { runs, gated } = stage();
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const slow = defineStep({
      name: "slow",
      run: ({ attempt }) => {
        runs.push(`slow@${attempt}`);
        return answers[attempt - 1]?.promise ?? "?";
      },
    });
    void gated;
    const flow = keyed("flow", { start: slow, on: ({ on }) => [on(slow, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    // The first runner is frozen: it neither renews its lease nor hears of changes.
    const frozen = dyingStorage({ ...storage, watch: () => () => {} });
    const one = createHephaestus({
      workflows: [flow],
      storage: frozen.storage,
      clock,
      local: { leaseMs: 1_000, sweepMs: 3_600_000 },
    });
    const started = await one.for(flow).start("1", {});
    await clock.settle();
    const two = createHephaestus({ workflows: [flow], storage, clock, local: { leaseMs: 1_000, sweepMs: 200 } });
    await clock.advance(1_500);
    expect(runs).toEqual(["slow@1", "slow@2"]);
    answers[0]?.resolve("of the old one");
    await clock.settle();
    answers[1]?.resolve("of the new one");
    await clock.settle();
    expect((await two.for(flow).get("1")).steps.slow).toMatchObject({ result: "of the new one", interruptions: 1 });
    expect((await started.get()).status).toBe("completed");
  });

  it("LESSONS 12: of fifty starts of one key over five runners, one runs", async () => {
    const { runs, gated } = stage();
    const one = gated("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const clock = virtualClock();
    const five = engines({ workflows: [flow], storage: memoryStorage(), clock }, 5);
    const answers = Promise.allSettled(Array.from({ length: 50 }, (_, n) => five[n % 5]?.for(flow).start("1", { n })));
    await clock.advance(1_000);
    const refused = (await answers).filter((answer) => answer.status === "rejected");
    expect(refused.length).toBe(49);
    expect(new Set(refused.map((answer) => (answer.reason as HephaestusError).code))).toEqual(
      new Set(["ALREADY_RUNNING"]),
    );
    expect(runs).toEqual(["1one@1"]);
  });

  it("a storm of ten runners takes over a thousand instances: each is driven by one, and all end", async () => {
    const { runs, plain } = stage();
    const first = defineStep({
      name: "first",
      run: async ({ attempt, instance }) => {
        runs.push(`${instance.key}first@${attempt}`);
        // The process dies in the middle of every first attempt.
        if (attempt === 1) await new Promise<never>(() => {});
      },
    });
    const second = plain("second");
    const flow = keyed("flow", {
      start: first,
      on: ({ on }) => [on(first, { done: second }), on(second, { done })],
    });
    const storage = memoryStorage();
    const clock = virtualClock();
    const dying = dyingStorage(storage);
    const dead = createHephaestus({ workflows: [flow], storage: dying.storage, clock, local: { concurrency: 1_000 } });
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => dead.for(flow).start(`k${n}-`, {})));
    await clock.settle();
    dying.faults.dead = true;
    expect(runs.length).toBe(1_000);
    const ten = engines({ workflows: [flow], storage, clock, local: { sweepMs: 1_000 } }, 10);
    const isDone = async () => (await storage.query({ status: "completed", limit: 500 })).next !== undefined;
    for (let second = 0; second < 60 && !(await isDone()); second++) await clock.advance(5_000);
    let ended = 0;
    for (let n = 0; n < 1_000; n++) {
      const records = (await storage.load(`flow/n::k${n}-`)) ?? [];
      const completions = records.flatMap(({ changes }) =>
        Object.values(changes.steps ?? {}).filter((step) => step.status === "completed"),
      );
      if (completions.length === 2 && records.at(-1)?.changes.status === "completed") ended += 1;
    }
    expect(ended).toBe(1_000);
    // Each was run once more by the one that took it, and its second step once.
    expect(new Set(runs).size).toBe(runs.length);
    expect(runs.length).toBe(3_000);
    await Promise.all(ten.map((engine) => engine.close()));
  });
});
