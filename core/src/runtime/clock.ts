import type { Timestamp } from "../engine/state.ts";
import { platform } from "./platform.ts";

/** Where the time comes from. Tests give their own. */
export interface Clock {
  now(): Timestamp;
  /** Calls back once at or after the time; the answer cancels it. */
  schedule(at: Timestamp, callback: () => void): () => void;
}

/** Longer timers fire at once in most runtimes: they are armed again in pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(at, callback) {
    let timer: unknown;
    const arm = () => {
      const wait = at - Date.now();
      timer = platform.setTimeout(wait > TIMER_MS_MAX ? arm : callback, Math.min(Math.max(wait, 0), TIMER_MS_MAX));
    };
    arm();
    return () => platform.clearTimeout(timer);
  },
};

/** A number from 0 to below 1. */
export type Random = () => number;

/** Numbers are drawn so many at a time: one call of the source costs more than all else of a short step. */
const DRAWN_AT_ONCE = 256;
let drawn = new Uint32Array(0);
let used = 0;

/** The platform's cryptographic source, so that ids made by many processes differ. */
export const systemRandom: Random = () => {
  if (used === drawn.length) {
    drawn = platform.crypto.getRandomValues(new Uint32Array(DRAWN_AT_ONCE));
    used = 0;
  }
  return (drawn[used++] as number) / 2 ** 32;
};

/** A time-ordered id: 9 characters of milliseconds, 16 of chance (82 bits), in base 36. */
export function makeId(now: Timestamp, random: Random): string {
  const time = Math.max(0, now).toString(36).padStart(9, "0");
  let chance = "";
  for (let part = 0; part < 4; part++)
    chance += Math.floor(random() * 36 ** 4)
      .toString(36)
      .padStart(4, "0");
  return time + chance;
}
