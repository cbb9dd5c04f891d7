import { expect, it } from "vitest";
import { keyed, stage } from "../../test/stage.ts";
import { createHephaestus, defineStep, done, memoryStorage, type Storage, type, waitForEvent } from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { Clock } from "./clock.ts";

/** A storage of a process that sleeps: its timers do not ring, and the storage tells when it is awake again. */
function sleeper(shared: Storage) {
  const listeners = new Set<() => void>();
  const time = virtualClock();
  let slept = 0;
  let asleep = false;
  const clock: Clock = {
    now: () => time.now() + slept,
    schedule: (at, ring) => time.schedule(at - slept, () => asleep || ring()),
  };
  const storage: Storage = {
    ...shared,
    watch: (listener) => shared.watch?.((id) => asleep || listener(id)) ?? (() => {}),
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    clock,
    storage,
    listeners,
    settle: time.settle,
    async sleep(ms: number) {
      asleep = true;
      await time.advance(3_600_000);
      slept += ms;
    },
    wake() {
      asleep = false;
      for (const listener of listeners) listener();
      return time.settle();
    },
  };
}

it("a runner that slept does what came due as soon as it is told, not at its next timer", async () => {
  const { plain } = stage();
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() }, timeout: { days: 30 } });
  const late = plain("late");
  const flow = keyed("flow", {
    start: hold,
    on: ({ on }) => [on(hold, { go: done, timeout: late }), on(late, { done })],
  });
  const { clock, storage, settle, sleep, wake, listeners } = sleeper(memoryStorage());
  const engine = createHephaestus({ workflows: [flow], storage, clock });
  const started = await engine.for(flow).start("1", {});
  await settle();
  await sleep(29 * 86_400_000);
  await wake();
  expect((await started.get()).status).toBe("waiting");
  await sleep(86_400_000);
  expect((await started.get()).status).toBe("waiting");
  await wake();
  expect((await started.get()).status).toBe("completed");
  await engine.close();
  expect(listeners.size).toBe(0);
});

it("a clock that is put forward makes due what stands beside a step that still runs, by the next sweep", async () => {
  const { plain } = stage();
  const slow = defineStep({ name: "slow", run: () => new Promise<never>(() => {}) });
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() }, timeout: { minutes: 10 } });
  const late = plain("late");
  const flow = keyed("flow", {
    start: [slow, hold],
    on: ({ on }) => [on(slow, { done }), on(hold, { go: done, timeout: late }), on(late, { done })],
  });
  const time = virtualClock();
  let ahead = 0;
  const clock: Clock = {
    now: () => time.now() + ahead,
    schedule: (at, ring) => time.schedule(at - ahead, ring),
  };
  const engine = createHephaestus({ workflows: [flow], clock, local: { leaseMs: 3_600_000, sweepMs: 1_000 } });
  const started = await engine.for(flow).start("1", {});
  const where = async () => (await started.get()).steps;
  await time.advance(1_500);
  ahead = 599_000;
  await time.advance(400);
  expect(await where()).toMatchObject({ slow: { status: "active" }, hold: { status: "waiting" } });
  await time.advance(100);
  expect(await where()).toMatchObject({ slow: { status: "active" }, late: { status: "completed" } });
});

it("a runner that slept drops what others have taken over meanwhile", async () => {
  const signals: AbortSignal[] = [];
  const slow = defineStep({
    name: "slow",
    run: ({ attempt, signal }) => {
      signals.push(signal as AbortSignal);
      return attempt === 1 ? new Promise<string>(() => {}) : "done by the other";
    },
  });
  const flow = keyed("flow", { start: slow, on: ({ on }) => [on(slow, { done })] });
  const shared = memoryStorage();
  const { clock, storage, settle, sleep, wake } = sleeper(shared);
  const engine = createHephaestus({ workflows: [flow], storage, clock });
  const started = await engine.for(flow).start("1", {});
  await settle();
  await sleep(0);
  const later = virtualClock(clock.now() + 86_400_000);
  const other = createHephaestus({ workflows: [flow], storage: shared, clock: later });
  await later.advance(0);
  expect((await started.get()).status).toBe("completed");
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  await wake();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  await Promise.all([engine.close(), other.close()]);
});
