import type { Timestamp } from "../engine/state.ts";
import type { Clock } from "../runtime/clock.ts";
import { platform } from "../runtime/platform.ts";

/** A clock that stands still until the test moves it. */
export interface VirtualClock extends Clock {
  /** Moves on, ringing every alarm on the way at its time; what follows from one is done before the next rings. */
  advance(ms: number): Promise<void>;
  /** Moves to the next alarm, however far it is. False when none is set. */
  skip(): Promise<boolean>;
  /** The time of the next alarm; undefined when none is set. */
  readonly next: Timestamp | undefined;
  /** Moves to the next alarm in this turn, and lets nothing go on before or after. False when none is set. */
  ring(): boolean;
  /** Lets everything go on that waits for nothing but its turn. */
  settle(): Promise<void>;
}

interface Alarm {
  readonly at: Timestamp;
  readonly ring: () => void;
}

/**
 * @example
 * const clock = virtualClock();
 * const hephaestus = createHephaestus({ workflows: [reminder], clock });
 * await clock.advance(2 * 24 * 3_600_000);
 */
export function virtualClock(start: Timestamp = 1_800_000_000_000): VirtualClock {
  let now = start;
  const alarms = new Set<Alarm>();

  function next(): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of alarms) if (first === undefined || alarm.at < first.at) first = alarm;
    return first;
  }

  function ring(): boolean {
    const alarm = next();
    if (alarm === undefined) return false;
    now = Math.max(now, alarm.at);
    alarms.delete(alarm);
    alarm.ring();
    return true;
  }

  return {
    now: () => now,
    get next() {
      return next()?.at;
    },
    schedule(at, callback) {
      const alarm = { at, ring: callback };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let alarm = next(); alarm && alarm.at <= end; alarm = next()) {
        ring();
        await settle();
      }
      now = end;
      await settle();
    },
    async skip() {
      await settle();
      const rang = ring();
      await settle();
      return rang;
    },
    ring,
    settle,
  };
}

/** Two turns of the event loop: storages answer in microtasks, workers' messages in a turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => void platform.setTimeout(resolve, 0));
}
