import { afterEach, expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";
import { onSleep } from "./page-life.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  ["visibilitychange", document],
  ["resume", document],
  ["pageshow", window],
  ["online", window],
])("a storage tells of %s, until nobody listens any more", (type, target) => {
  const heard = vi.fn();
  const stop = opened(fresh()).onWake?.(heard);
  target.dispatchEvent(new Event(type));
  expect(heard).toHaveBeenCalledTimes(1);
  stop?.();
  target.dispatchEvent(new Event(type));
  expect(heard).toHaveBeenCalledTimes(1);
});

it("a page that goes into the background is not awake", () => {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  const heard = vi.fn();
  const stop = opened(fresh()).onWake?.(heard);
  document.dispatchEvent(new Event("visibilitychange"));
  expect(heard).not.toHaveBeenCalled();
  stop?.();
});

it("a page falls asleep when it is frozen, although only its document is told", () => {
  const [asleep, awake] = [vi.fn(), vi.fn()];
  const stop = onSleep(asleep, awake);
  document.dispatchEvent(new Event("freeze"));
  expect([asleep.mock.calls.length, awake.mock.calls.length]).toEqual([1, 0]);
  document.dispatchEvent(new Event("resume"));
  expect([asleep.mock.calls.length, awake.mock.calls.length]).toEqual([1, 1]);
  stop();
  document.dispatchEvent(new Event("freeze"));
  expect(asleep).toHaveBeenCalledTimes(1);
});
