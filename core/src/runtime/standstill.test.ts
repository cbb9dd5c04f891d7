import { expect, it } from "vitest";
import { dyingStorage, keyed } from "../../test/stage.ts";
import {
  type Clock,
  COMMAND_RETENTION_MS,
  createHephaestus,
  defineStep,
  done,
  memoryStorage,
  pending,
  type Storage,
} from "../index.ts";
import { type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";

/*
 * A process that stood still for longer than a tombstone is kept comes back over an instance that was deleted, forgotten
 * and made anew, and whose revisions, runs and attempts have the very numbers that it knows.
 */

/** A clock by which nothing rings while its process stands still; what came due meanwhile rings when it goes on. */
function stoppable(clock: VirtualClock) {
  let held: (() => void)[] | undefined;
  const own: Clock = {
    now: clock.now,
    schedule: (at, ring) => clock.schedule(at, () => (held ? held.push(ring) : ring())),
  };
  const stop = () => {
    held = [];
  };
  const goOn = () => {
    const rings = held ?? [];
    held = undefined;
    for (const ring of rings) ring();
  };
  return { clock: own, stop, goOn };
}

interface Attempt extends PromiseWithResolvers<unknown> {
  readonly signal: AbortSignal;
  readonly save: () => Promise<unknown>;
}

const HOUR_MS = 3_600_000;

/** The first runner begins a step. */
async function begun() {
  const clock = virtualClock();
  const storage = memoryStorage();
  const attempts: Attempt[] = [];
  const runner = (its: Clock, on: Storage) => {
    const work = defineStep({
      name: "work",
      run: ({ signal, checkpoint }) => {
        const save = () => checkpoint("saved", () => null);
        const attempt = { ...Promise.withResolvers<unknown>(), signal: signal as AbortSignal, save };
        attempts.push(attempt);
        return attempt.promise;
      },
    });
    const flow = keyed("flow", { start: work, on: ({ on }) => [on(work, { done })] });
    // It hears of nothing by itself.
    const deaf = { ...on, watch: () => () => {} };
    const local = { leaseMs: 8 * HOUR_MS, sweepMs: 4 * HOUR_MS };
    return createHephaestus({ workflows: [flow], storage: deaf, clock: its, local }).for(flow);
  };
  const { clock: its, stop, goOn } = stoppable(clock);
  const { faults, storage: faulty } = dyingStorage(storage);
  const one = runner(its, faulty);
  const { id } = await one.start("1", {});
  await clock.settle();

  /** While the first runner stands still its instance is forgotten; the second one makes it anew. */
  async function madeAnew() {
    stop();
    await clock.advance(COMMAND_RETENTION_MS);
    // As it is when it was deleted and a sweep found that the time of its tombstone is over.
    await storage.remove(id, 9);
    const two = runner(clock, storage);
    await two.start("1", {});
    await clock.settle();
    return two;
  }
  return { clock, storage, attempts, faults, id, one, goOn, madeAnew };
}

it("what an attempt made is not taken for the result of another instance's", async () => {
  const { clock, attempts, one, goOn, madeAnew } = await begun();
  const two = await madeAnew();
  attempts[0]?.resolve("of the one before");
  goOn();
  await clock.settle();
  expect((await two.get("1")).status).toBe("running");
  attempts[1]?.resolve("its own");
  await clock.settle();
  expect((await one.get("1")).steps.work).toMatchObject({ status: "completed", result: "its own", attempt: 1 });
});

it("its attempts are told to stop, and their checkpoints refused", async () => {
  const { clock, attempts, storage, id, goOn, madeAnew } = await begun();
  await madeAnew();
  const saved = attempts[0]?.save();
  goOn();
  await expect(saved).rejects.toMatchObject({ code: "CANCELLED" });
  await clock.settle();
  expect(attempts[0]?.signal.aborted).toBe(true);
  // Nor when the runner knows already.
  await expect(attempts[0]?.save()).rejects.toMatchObject({ code: "CANCELLED" });
  attempts[0]?.resolve("too late");
  await clock.settle();
  expect((await storage.load(id))?.length).toBe(1);
});

it("an outcome that was kept for want of storage is not kept for another instance", async () => {
  const { clock, attempts, faults, goOn, madeAnew } = await begun();
  faults.refuse = () => true;
  attempts[0]?.resolve("of the one before");
  await clock.settle();
  const two = await madeAnew();
  faults.refuse = () => false;
  goOn();
  await clock.settle();
  expect((await two.get("1")).status).toBe("running");
  attempts[1]?.resolve("its own");
  await clock.settle();
  expect((await two.get("1")).steps.work?.result).toBe("its own");
});

it("what a caller asks of it is asked of what is there now", async () => {
  const { clock, one, goOn, madeAnew } = await begun();
  const two = await madeAnew();
  goOn();
  await one.cancel("1");
  await clock.advance(8 * HOUR_MS);
  expect((await two.get("1")).status).toBe("cancelled");
});

it("a driver that was heard of lately reads nothing before it commits", async () => {
  const clock = virtualClock();
  const storage = memoryStorage();
  let loads = 0;
  const counting: Storage = {
    ...storage,
    watch: () => () => {},
    load(...args) {
      loads += 1;
      return storage.load(...args);
    },
  };
  const ask = defineStep({ name: "ask", run: () => pending() });
  const hang = defineStep({ name: "hang", run: () => new Promise<void>(() => {}) });
  const flow = keyed("flow", { start: [ask, hang], on: ({ on }) => [on(ask, { done }), on(hang, { done })] });
  const local = { leaseMs: 8 * HOUR_MS, sweepMs: HOUR_MS };
  const flows = createHephaestus({ workflows: [flow], storage: counting, clock, local }).for(flow);
  await flows.start("1", {});
  // It renews its lease all the time, and by that it is heard of.
  for (let day = 0; day < 3; day++) {
    await clock.advance(24 * HOUR_MS);
    await flows.scheduleResume("1", "ask", { days: 9 });
  }
  expect(loads).toBe(0);
});
