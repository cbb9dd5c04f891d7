import { describe, expect, it } from "vitest";
import { DURATION_MS_MAX, type Duration, durationMs } from "./duration.ts";

describe("a duration", () => {
  it.each<[Duration, number]>([
    [{ milliseconds: 5 }, 5],
    [{ seconds: 5 }, 5_000],
    [{ minutes: 5 }, 300_000],
    [{ hours: 1, minutes: 30 }, 5_400_000],
    [{ days: 2 }, 172_800_000],
    [{ seconds: 0 }, 0],
    [{ seconds: 0.1 }, 100],
    [{ hours: 1 / 3 }, 1_200_000],
    [{ days: 36_525 }, DURATION_MS_MAX],
  ])("%j is %s ms", (duration, ms) => {
    expect(durationMs(duration)).toBe(ms);
  });

  it.each([
    [{}],
    [{ seconds: -1 }],
    [{ seconds: Number.NaN }],
    [{ seconds: Number.POSITIVE_INFINITY }],
    [{ seconds: "5" }],
    [{ weeks: 1 }],
    [{ constructor: 1 }],
    [{ days: 36_526 }],
    [{ seconds: undefined }],
    [5],
    [null],
    [undefined],
    ["5s"],
    [[5]],
  ])("%j is none", (duration) => {
    const refused = expect.objectContaining({ code: "OPTION_INVALID", details: { field: "for" } });
    expect(() => durationMs(duration as Duration, "for")).toThrow(refused);
  });
});
