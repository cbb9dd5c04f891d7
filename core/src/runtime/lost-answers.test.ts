import { describe, expect, it } from "vitest";
import { dyingStorage, keyed, stage, toldByHand } from "../../test/stage.ts";
import {
  createHephaestus,
  defineStep,
  done,
  HephaestusError,
  memoryStorage,
  type Storage,
  type,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

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

  it("who is told at last that a commit was made is told what was decided for him, though others gave up", async () => {
    const inner = memoryStorage();
    let commits = 0;
    const parked = Promise.withResolvers<void>();
    const storage: Storage = {
      ...inner,
      async commit(given) {
        const results = await inner.commit(given);
        commits += 1;
        // While the second is on its way, what shares the third one comes together; its answer is lost.
        if (commits === 2) await parked.promise;
        if (commits === 3) throw new HephaestusError("STORAGE_FULL", "there was room just now");
        return results;
      },
    };
    const { gate } = stage();
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const upload = defineStep({
      name: "upload",
      run: async ({ checkpoint, attempt }) => {
        await gate("upload").promise;
        return [attempt, await checkpoint("file", () => "there")];
      },
    });
    const flow = keyed("flow", {
      start: [hold, upload],
      on: ({ on }) => [on(hold, { go: done }), on(upload, { done })],
    });
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock, local: { leaseMs: 3_600_000 } });
    await engine.for(flow).start("1", {});
    await clock.settle();
    const going = engine.for(flow).resume("1", "go");
    await clock.settle();
    const refused = engine.resume("flow/n::1", "unheard_of");
    await clock.settle();
    gate("upload").resolve(null);
    await clock.settle();
    parked.resolve();
    expect(await going).toBe("delivered");
    await expect(refused).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await clock.advance(1_000);
    expect((await engine.for(flow).get("1")).steps.upload).toMatchObject({ result: [1, "there"], failures: 0 });
  });
});

describe("a record that is read while its own commit is acknowledged", () => {
  it.each(["read", "acknowledged"] as const)(
    "is folded once, %s first: its event is not there again",
    async (before) => {
      const { gate, gated } = stage();
      const wait = (name: string) => waitForEvent({ name, events: { go: type<undefined>() } });
      const [first, second] = [wait("first"), wait("second")];
      const [beside, between] = [gated("beside"), gated("between")];
      const flow = keyed("flow", {
        start: [first, beside],
        on: ({ on }) => [
          on(first, { go: between }),
          on(between, { done: second }),
          on(second, { go: done }),
          on(beside, { done }),
        ],
      });
      const inner = memoryStorage();
      const reading = Promise.withResolvers<void>();
      const answers = { read: Promise.withResolvers<void>(), acknowledged: Promise.withResolvers<void>() };
      const hand = toldByHand(inner);
      let isSlow = false;
      const storage: Storage = {
        ...hand.storage,
        async load(...asked) {
          if (!isSlow) return inner.load(...asked);
          await reading.promise;
          const records = await inner.load(...asked);
          await answers.read.promise;
          return records;
        },
        async commit(commits) {
          const results = await inner.commit(commits);
          if (isSlow) await answers.acknowledged.promise;
          return results;
        },
      };
      const clock = virtualClock();
      const engine = createHephaestus({ workflows: [flow], storage, clock, local: { leaseMs: 3_600_000 } });
      const started = await engine.for(flow).start("1", {});
      await clock.settle();
      isSlow = true;
      hand.tell(started.id);
      const sending = engine.resume(started.id, "go");
      await clock.settle();
      reading.resolve();
      await clock.settle();
      answers[before].resolve();
      await clock.settle();
      for (const { resolve } of Object.values(answers)) resolve();
      expect(await sending).toBe("delivered");
      isSlow = false;
      await clock.settle();
      gate("between").resolve(null);
      await clock.settle();
      const { steps, inbox } = await started.get();
      expect(steps).toMatchObject({ first: { status: "completed" }, second: { status: "waiting" } });
      expect(inbox).toEqual([]);
    },
  );
});

describe("records that are asked for before a run of the same driver begins", () => {
  it("are no reason to take that run for another's", async () => {
    const { runs, gate } = stage();
    const one = defineStep({
      name: "one",
      run: async ({ attempt, instance: { run } }) => {
        runs.push(`${run}@${attempt}`);
        await gate(`${run}`).promise;
      },
    });
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const inner = memoryStorage();
    const [asked, committed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hand = toldByHand(inner);
    let isSlow = false;
    const storage: Storage = {
      ...hand.storage,
      async load(...given) {
        if (isSlow) await asked.promise;
        return inner.load(...given);
      },
      async commit(commits) {
        if (isSlow) await committed.promise;
        return inner.commit(commits);
      },
    };
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock, local: { leaseMs: 3_600_000 } });
    const first = await engine.for(flow).start("1", {});
    await clock.settle();
    isSlow = true;
    hand.tell(first.id);
    gate("1").resolve(null);
    await clock.settle();
    const starting = engine.for(flow).start("1", {});
    committed.resolve();
    const second = await starting;
    await clock.settle();
    asked.resolve();
    await clock.settle();
    const { steps } = await second.get();
    expect(steps.one).toMatchObject({ interruptions: 0 });
    expect(runs).toEqual(["1@1", "2@1"]);
  });
});

describe("an answer that takes longer than the lease", () => {
  /** A storage whose first answer waits. */
  function slowAtFirst(inner: Storage) {
    const answer = Promise.withResolvers<void>();
    let isFirst = true;
    const storage: Storage = {
      ...inner,
      async commit(commits) {
        const results = await inner.commit(commits);
        if (isFirst) {
          isFirst = false;
          await answer.promise;
        }
        return results;
      },
    };
    return { storage, answer };
  }

  it("begins no step that another runner has finished meanwhile", async () => {
    const { runs, plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const inner = memoryStorage();
    const { storage, answer } = slowAtFirst(inner);
    const clock = virtualClock();
    const slow = createHephaestus({ workflows: [flow], storage, clock });
    const starting = slow.for(flow).start("1", {});
    const other = createHephaestus({ workflows: [flow], storage: inner, clock });
    await clock.advance(120_000);
    expect((await other.for(flow).get("1")).status).toBe("completed");
    answer.resolve();
    expect((await starting).run).toBe(1);
    await clock.advance(1_000);
    expect(runs).toEqual(["1one@2"]);
  });

  it("renews the lease first where nobody else has gone on", async () => {
    const { runs, plain } = stage();
    const one = plain("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const { storage, answer } = slowAtFirst(memoryStorage());
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock });
    const starting = engine.for(flow).start("1", {});
    await clock.advance(120_000);
    answer.resolve();
    expect(await (await starting).result()).toEqual({});
    expect(runs).toEqual(["1one@1"]);
    const history = await storage.load("flow/n::1");
    expect(history?.filter(({ changes }) => changes.owner).length).toBe(2);
  });
});

describe("payloads that are read while their instance is deleted", () => {
  it("are not taken for a step that has none, and who waits for a result is told", async () => {
    const { runs, plain } = stage();
    const hold = waitForEvent({ name: "hold", events: { go: type<number>() } });
    const next = plain("next");
    const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: next }), on(next, { done })] });
    // Where nobody tells of what others commit.
    const { watch: _watch, ...inner } = memoryStorage();
    const [clock, reading, read] = [virtualClock(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await createHephaestus({ workflows: [flow], storage: inner, clock })
      .for(flow)
      .start("1", {});
    let asks = 0;
    const storage: Storage = {
      ...inner,
      async payloads(...asked) {
        reading.resolve();
        // What is asked first is for the step.
        if (asks++ === 0) await read.promise;
        return inner.payloads(...asked);
      },
    };
    const engine = createHephaestus({ workflows: [flow], storage, clock });
    await engine.for(flow).resume("1", "go", 7);
    await reading.promise;
    const told: unknown[] = [];
    void engine
      .for(flow)
      .result("1")
      .catch((error: HephaestusError) => told.push(error.code));
    await clock.settle();
    const changes = { at: clock.now(), status: "deleted" } as const;
    await inner.commit([{ id: "flow/n::1", run: 1, expected: 2, nonce: "other", changes }]);
    await inner.remove("flow/n::1", 2);
    read.resolve();
    // The next sweep looks up what somebody listens to, and nobody drives here.
    await clock.advance(5_000);
    expect(runs).toEqual([]);
    expect(told).toEqual(["INSTANCE_NOT_FOUND"]);
    expect(
      await engine
        .for(flow)
        .get("1")
        .catch((error: HephaestusError) => error.code),
    ).toBe("INSTANCE_NOT_FOUND");
  });
});

describe("a storage with no room", () => {
  function roomFor(units: number) {
    const inner = memoryStorage();
    const room = { full: false };
    const storage: Storage = {
      ...inner,
      async commit(commits) {
        if (room.full) throw new HephaestusError("STORAGE_FULL", "no room");
        for (const { payloads = {} } of commits) {
          const length = Object.values(payloads).reduce((sum, text) => sum + text.length, 0);
          if (length > units) throw new HephaestusError("LIMIT_EXCEEDED", "too large for one record");
        }
        return inner.commit(commits);
      },
    };
    return { storage, room };
  }

  it("results that do not fit together are committed one by one", async () => {
    const steps = Array.from({ length: 4 }, (_, n) => defineStep({ name: `s${n}`, run: () => "x".repeat(30) }));
    const flow = keyed("flow", { start: steps, on: ({ on }) => steps.map((step) => on(step, { done })) });
    const engine = createHephaestus({ workflows: [flow], storage: roomFor(100).storage });
    const started = await engine.for(flow).start("1", {});
    await started.result();
    expect((await started.get()).status).toBe("completed");
  });

  it("a result that never fits fails its step, once and for all", async () => {
    let runs = 0;
    const big = defineStep({
      name: "big",
      run: () => {
        runs += 1;
        return "x".repeat(200);
      },
    });
    const flow = keyed("flow", { start: big, on: ({ on }) => [on(big, { done })] });
    const engine = createHephaestus({ workflows: [flow], storage: roomFor(100).storage });
    const started = await engine.for(flow).start("1", {});
    await expect(started.result()).rejects.toMatchObject({ cause: { code: "LIMIT_EXCEEDED" } });
    expect(runs).toBe(1);
  });

  it("a full storage tells the caller, keeps what a step has to report, and goes on when there is room", async () => {
    const { runs, gate, gated } = stage();
    const one = gated("one");
    const flow = keyed("flow", { start: one, on: ({ on }) => [on(one, { done })] });
    const { storage, room } = roomFor(1_000);
    const clock = virtualClock();
    const engine = createHephaestus({ workflows: [flow], storage, clock, local: { leaseMs: 3_600_000 } });
    const started = await engine.for(flow).start("1", {});
    await clock.settle();
    room.full = true;
    gate("one").resolve("kept");
    await clock.advance(60_000);
    await expect(engine.for(flow).start("2", {})).rejects.toMatchObject({ code: "STORAGE_FULL" });
    room.full = false;
    await clock.advance(10_000);
    expect((await started.get()).steps.one).toMatchObject({ status: "completed", result: "kept" });
    expect(runs).toEqual(["1one@1"]);
  });
});
