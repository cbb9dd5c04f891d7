import type { Timestamp } from "../../engine/state.ts";
import { mix } from "./chance.ts";
import { PORT_NUMBERS, type Port } from "./plan.ts";

/** One life of a worker: from a start to a crash or a close. What belongs to a life that is over never goes on. */
export interface Life {
  readonly worker: number;
  readonly generation: number;
  /** It has the newer edition of the code, where there are two. */
  readonly newer: boolean;
  alive: boolean;
  /** It was asked to close, and begins nothing new. */
  closing: boolean;
  /** Answers and timers of this life are held back until then: it is frozen. */
  frozenUntil: Timestamp;
  /** How often each port was touched. */
  readonly touched: Map<Port, number>;
}

/** Something that waits for its turn. */
export interface Parked {
  /** Undefined for what belongs to the world and not to a worker. */
  readonly life: Life | undefined;
  readonly port: Port | "world";
  readonly nth: number;
  /** Goes on although its worker is frozen or gone: it is under way outside. */
  readonly outside: boolean;
  readyAt: Timestamp;
  readonly priority: number;
  readonly run: () => void | Promise<void>;
}

export interface Scheduler {
  /** The true time, in virtual milliseconds. */
  now: Timestamp;
  /** Items picked so far. */
  readonly tick: number;
  readonly count: number;
  park(item: Omit<Parked, "priority">): Parked;
  remove(item: Parked): void;
  /** Takes out all items of a life but those that `keep` names. */
  drop(life: Life, keep: (item: Parked) => boolean): void;
  /** One that is ready, by the seed; undefined when none is. */
  next(): Parked | undefined;
  /** When the next item will be ready; undefined when there is none. */
  nextAt(): Timestamp | undefined;
  /** Lets time pass in which nothing is ready. */
  jump(at: Timestamp): void;
  /** Nothing was parked, removed or picked since the last jump. */
  readonly isStill: boolean;
}

const SIMULATION_START: Timestamp = 1_800_000_000_000;

/**
 * Holds what is parked. Each item has a priority by the seed and by what it is, not by when it came, so that a plan
 * from which something was taken still runs much like before; of the ready ones the first by that is picked.
 */
export function makeScheduler(seed: number): Scheduler {
  const items: Parked[] = [];
  let tick = 0;
  let isStill = false;

  function readyAt({ life, outside, readyAt: at }: Parked): Timestamp {
    return life === undefined || outside || life.frozenUntil <= at ? at : life.frozenUntil;
  }

  function takeAt(index: number): Parked {
    const item = items[index] as Parked;
    const last = items.pop() as Parked;
    if (last !== item) items[index] = last;
    return item;
  }

  const scheduler: Scheduler & { tick: number } = {
    now: SIMULATION_START,
    get tick() {
      return tick;
    },
    get count() {
      return items.length;
    },
    get isStill() {
      return isStill;
    },
    park({ life, port, nth, outside, readyAt: at, run }) {
      isStill = false;
      const place = life === undefined ? 0x7777 : placeOf(life);
      const priority = mix(mix(seed, place * 128 + PORT_NUMBERS[port]), nth);
      const item = { life, port, nth, outside, readyAt: at, priority, run };
      items.push(item);
      return item;
    },
    remove(item) {
      isStill = false;
      const index = items.indexOf(item);
      if (index >= 0) takeAt(index);
    },
    drop(life, keep) {
      isStill = false;
      for (let index = items.length - 1; index >= 0; index--) {
        const item = items[index] as Parked;
        if (item.life === life && !keep(item)) takeAt(index);
      }
    },
    next() {
      let best = -1;
      let lowest = Number.POSITIVE_INFINITY;
      for (let index = 0; index < items.length; index++) {
        const item = items[index] as Parked;
        if (item.priority < lowest && readyAt(item) <= scheduler.now) {
          best = index;
          lowest = item.priority;
        }
      }
      if (best < 0) return undefined;
      isStill = false;
      tick += 1;
      return takeAt(best);
    },
    nextAt() {
      let soonest: Timestamp | undefined;
      for (const item of items) {
        const at = readyAt(item);
        if (soonest === undefined || at < soonest) soonest = at;
      }
      return soonest;
    },
    jump(at) {
      scheduler.now = at;
      isStill = true;
    },
  };
  return scheduler;
}

/** A number for each life of each worker: a step that kills its process each time begins more of them than 64. */
export function placeOf({ worker, generation }: Pick<Life, "worker" | "generation">): number {
  return worker * 64 + (generation % 64) + Math.trunc(generation / 64) * 4_096;
}

const NOW = Promise.resolve();

/** Lets everything go on that waits for nothing but its turn, as far as so many turns reach. */
export function drain(turns: number): Promise<void> {
  // Half as dear as to await each turn, and most of what a simulation does is to let turns pass.
  return new Promise((resolve) => {
    let left = turns;
    const turn = () => {
      left -= 1;
      if (left > 0) void NOW.then(turn);
      else resolve();
    };
    void NOW.then(turn);
  });
}
