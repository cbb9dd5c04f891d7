import { type Changes, COMMAND_RETENTION_MS, type Driver, isEnded, type Timestamp } from "@hephaestus/core";
import type { IndexRefresh } from "./index-refresh.ts";
import type { Timing } from "./options.ts";

/** The first timer that a commit sets. */
export function firstTimer({ steps = {}, ending }: Changes): Timestamp | undefined {
  return first([ending?.until, ...Object.values(steps).flatMap((step) => [step.wakeAt, step.compensation?.wakeAt])]);
}

/**
 * Whether an instance that was loaded anew must have an alarm. One that only waits for an event may have none: its last
 * one rang when there was nothing left to do.
 */
export function needsAlarm({ state, code, nextWake }: Driver): boolean {
  if (state.info === undefined) return state.revision > 0;
  if (nextWake !== undefined || isEnded(state.status)) return nextWake !== undefined;
  return code === undefined || state.active > 0 || (state.status !== "waiting" && state.status !== "paused");
}

/** When the object of an instance at rest has something to do again by itself. */
export function nextAtRest(driver: Driver, index: IndexRefresh, timing: Timing, now: Timestamp): Timestamp | undefined {
  const { state, code, nextWake } = driver;
  return first([
    index.isBehind ? index.nextTry(state, now) : undefined,
    nextWake,
    code === undefined && state.info ? now + timing.parkedMs : undefined,
    state.info === undefined && state.revision > 0 ? state.updatedAt + COMMAND_RETENTION_MS : undefined,
  ]);
}

function first(times: readonly (Timestamp | undefined)[]): Timestamp | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
