import { HephaestusError } from "./errors.ts";

/** A length of time, as a sum of its parts: `{ hours: 1, minutes: 30 }`. */
export interface Duration {
  readonly milliseconds?: number;
  readonly seconds?: number;
  readonly minutes?: number;
  readonly hours?: number;
  readonly days?: number;
}

const MS = { milliseconds: 1, seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

/** The longest duration: 100 years, so that sums with today's time stay exact. */
export const DURATION_MS_MAX = 36_525 * MS.days;

/**
 * Milliseconds in a duration, to the nearest whole one.
 * @throws HephaestusError OPTION_INVALID for an unknown part, a negative one, none at all, or more than 100 years
 */
export function durationMs(duration: Duration, field = "duration"): number {
  const invalid = (why: string): never => {
    throw new HephaestusError("OPTION_INVALID", `${field}: ${why}`, { field });
  };
  if (typeof duration !== "object" || duration === null)
    return invalid("a duration is an object such as { seconds: 5 }");
  let total = 0;
  const parts = Object.entries(duration).filter(([, amount]) => amount !== undefined);
  if (parts.length === 0) return invalid("a duration needs at least one part");
  for (const [unit, amount] of parts as [string, unknown][]) {
    if (!Object.hasOwn(MS, unit)) return invalid(`unknown unit ${JSON.stringify(unit)}`);
    if (typeof amount !== "number" || !Number.isFinite(amount) || amount < 0) {
      return invalid(`${unit} must be a number, 0 or more`);
    }
    total += amount * MS[unit as keyof typeof MS];
  }
  total = Math.round(total);
  if (total > DURATION_MS_MAX) return invalid("longer than 100 years");
  return total;
}
