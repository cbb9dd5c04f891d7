import { beforeEach, expect, it, vi } from "vitest";
import { ObjectAlarm } from "./object-alarm.ts";
import type { Turn } from "./turn.ts";

const NOW = 1_800_000_000_000;
let set: number[];
let alarm: ObjectAlarm;

beforeEach(() => {
  set = [];
  vi.useFakeTimers({ now: NOW });
  const storage = { setAlarm: (at: number) => Promise.resolve(set.push(at)) };
  const turn = { goOn: () => {}, written: () => {} } as unknown as Turn;
  alarm = new ObjectAlarm({ storage, waitUntil: () => {} } as unknown as DurableObjectState, turn);
  return () => vi.useRealTimers();
});

function armBy(at: number): readonly number[] {
  alarm.armBy(at);
  alarm.write();
  return set;
}

it("is moved to an earlier time, and not to a later one", () => {
  armBy(NOW + 500);
  armBy(NOW + 900);
  expect(armBy(NOW + 100)).toEqual([NOW + 500, NOW + 100]);
});

it("is left to ring where it is past, since the platform may have it ring in this moment", () => {
  armBy(NOW + 20);
  vi.setSystemTime(NOW + 25);
  expect(armBy(NOW + 45)).toEqual([NOW + 20]);
  alarm.rang();
  expect(armBy(NOW + 45)).toEqual([NOW + 20, NOW + 45]);
});

it("is armed anew where it should have rung long ago", () => {
  armBy(NOW + 20);
  vi.setSystemTime(NOW + 60_000);
  expect(armBy(NOW + 60_100)).toEqual([NOW + 20, NOW + 60_100]);
});
