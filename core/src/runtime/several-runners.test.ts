import { describe, expect, it } from "vitest";
import { dyingStorage, engines, keyed, stage } from "../../test/stage.ts";
import {
  createHephaestus,
  defineStep,
  done,
  type HephaestusError,
  memoryStorage,
  type Storage,
  type,
  wait,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

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
    const stopped = { now: clock.now, schedule: () => () => {} };
    const one = createHephaestus({
      workflows: [flow],
      storage: frozen.storage,
      clock: stopped,
      local: { leaseMs: 1_000, sweepMs: 500 },
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

  it.each([
    ["dead: at once", true, 0],
    ["alive, and only late: four leases after its own has run out", false, 5],
    ["neither dead nor alive: when its lease has run out", undefined, 1],
  ])("takes over from one of whom the storage says that it is %s", async (_what, isDead, leases) => {
    const { runs, gated } = stage();
    const slow = gated("slow");
    const flow = keyed("flow", { start: slow, on: ({ on }) => [on(slow, { done })] });
    const memory = memoryStorage();
    const clock = virtualClock();
    const leaseMs = 1_000;
    const local = { leaseMs, sweepMs: 100 };
    // It stands still: it does not renew its lease.
    const stopped = { now: clock.now, schedule: () => () => {} };
    const one = createHephaestus({ workflows: [flow], storage: memory, clock: stopped, local });
    await one.for(flow).start("1", {});
    await clock.settle();
    const storage: Storage = { ...memory, ownerIsDead: async () => isDead };
    createHephaestus({ workflows: [flow], storage, clock, local });
    await clock.advance(Math.max(leases * leaseMs - 1, 0));
    if (leases > 0) expect(runs).toEqual(["1slow@1"]);
    await clock.advance(2 * local.sweepMs);
    expect(runs).toEqual(["1slow@1", "1slow@2"]);
  });

  it("refuses options by which others would take over what it still drives, and such as make no sense", () => {
    const { plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const bad: readonly [string, object][] = [
      ["sweepMs", { leaseMs: 1_000, sweepMs: 501 }],
      ["sweepMs", { sweepMs: 20_000 }],
      ["sweepMs", { sweepMs: 0 }],
      ["sweepMs", { sweepMs: Number.NaN }],
      ["leaseMs", { leaseMs: 0 }],
      ["leaseMs", { leaseMs: Number.POSITIVE_INFINITY }],
      ["leaseMs", { leaseMs: "1000" }],
      ["concurrency", { concurrency: 0 }],
      ["concurrency", { concurrency: 1.5 }],
      ["closeGraceMs", { closeGraceMs: -1 }],
    ];
    for (const [field, local] of bad) {
      const refused = { code: "OPTION_INVALID", details: { field } };
      expect(() => createHephaestus({ workflows: [flow], local }), JSON.stringify(local)).toThrow(
        expect.objectContaining(refused),
      );
    }
    // The default follows a short lease.
    createHephaestus({ workflows: [flow], clock: virtualClock(), local: { leaseMs: 1_000 } });
  });

  it("one that closes finishes what it can and hands back the rest, which another takes at once and uncounted", async () => {
    const { runs, gate, gated, plain } = stage();
    const [quick, long, next] = [gated("quick"), gated("long"), plain("next")];
    const flow = keyed("flow", {
      start: [quick, long],
      on: ({ on }) => [on(quick, { done: next }), on(long, { done }), on(next, { done })],
    });
    const clock = virtualClock();
    const [one, two] = engines({ workflows: [flow], storage: memoryStorage(), clock, local: { leaseMs: 3_600_000 } });
    await one?.for(flow).start("1", {});
    await clock.settle();
    const closing = one?.close();
    await clock.settle();
    // What ends while it closes is recorded; what follows is not begun here.
    gate("quick").resolve(1);
    await clock.settle();
    expect(runs).toEqual(["1quick@1", "1long@1"]);
    await clock.advance(5_000);
    await closing;
    await clock.advance(200);
    expect(runs.slice(2).sort()).toEqual(["1long@2", "1next@1"]);
    gate("long").resolve(2);
    await clock.settle();
    const view = await two?.for(flow).get("1");
    expect([view?.status, view?.steps.long?.interruptions]).toEqual(["completed", 0]);
    await two?.close();
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

  it("what cannot be driven here does not stand in the way of what can, and is not looked at for ever", async () => {
    const nap = wait({ name: "nap", for: { minutes: 1 } });
    const flow = keyed("flow", { start: nap, on: ({ on }) => [on(nap, { done })] });
    const storage = memoryStorage();
    const clock = virtualClock();
    const one = createHephaestus({ workflows: [flow], storage, clock });
    for (let n = 0; n < 250; n++) await one.for(flow).start(`newer-${n}`, {});
    const { id } = await one.for(flow).start("ours", {});
    await one.close();
    await clock.advance(120_000);
    // All of them but one are of a newer version by now.
    let loads = 0;
    const load: Storage["load"] = async (asked, after) => {
      loads += 1;
      const records = await storage.load(asked, after);
      if (asked === id) return records;
      return records?.map((record) => {
        const { run } = record.changes;
        return run ? { ...record, changes: { ...record.changes, run: { ...run, format: 99 as 1 } } } : record;
      });
    };
    const errors: unknown[] = [];
    const local = { onError: (error: unknown) => errors.push((error as { code?: unknown }).code) };
    const two = createHephaestus({ workflows: [flow], storage: { ...storage, load }, clock, local });
    await clock.advance(1);
    expect((await two.get(id)).status).toBe("completed");
    expect(errors).toEqual(Array.from({ length: 250 }, () => "FORMAT_NEWER"));
    loads = 0;
    await clock.advance(60_000);
    expect([loads, errors.length]).toEqual([0, 250]);
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
    const ten = engines({ workflows: [flow], storage, clock, local: { sweepMs: 500 } }, 10);
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
