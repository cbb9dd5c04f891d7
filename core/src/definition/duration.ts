import { refuseOption } from "./refuse-option.ts";

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
  const given: [string, unknown][] = typeof duration === "object" && duration !== null ? Object.entries(duration) : [];
  const parts = given.filter(([, amount]) => amount !== undefined);
  let total = parts.length > 0 ? 0 : Number.NaN;
  for (const [unit, amount] of parts) {
    const isPart = Object.hasOwn(MS, unit) && typeof amount === "number" && amount >= 0;
    total += isPart ? amount * MS[unit as keyof typeof MS] : Number.NaN;
  }
  total = Math.round(total);
  if (total <= DURATION_MS_MAX) return total;
  return refuseOption(field, DURATION_RULE);
}

const DURATION_RULE = `an object of ${Object.keys(MS).join(", ")}: numbers, 0 or more, of at most 100 years in all`;
