import { afterEach, expect, it, vi } from "vitest";
import { persistentStorage } from "./persistent-storage.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("reports what this browser gives", async () => {
  const report = await persistentStorage();
  expect(["granted", "denied"]).toContain(report.outcome);
  expect(report.quotaBytes).toBeGreaterThan(0);
});

it("does not ask again for what it has", async () => {
  vi.spyOn(navigator.storage, "persisted").mockResolvedValue(true);
  const persist = vi.spyOn(navigator.storage, "persist");
  expect((await persistentStorage()).outcome).toBe("granted");
  expect(persist).not.toHaveBeenCalled();
});

it.each([
  [true, "granted"],
  [false, "denied"],
] as const)("reports the answer %s as %s", async (answer, outcome) => {
  vi.spyOn(navigator.storage, "persisted").mockResolvedValue(false);
  vi.spyOn(navigator.storage, "persist").mockResolvedValue(answer);
  expect((await persistentStorage()).outcome).toBe(outcome);
});

it("never throws", async () => {
  vi.spyOn(navigator.storage, "persisted").mockRejectedValue(new TypeError("opaque origin"));
  vi.spyOn(navigator.storage, "estimate").mockRejectedValue(new TypeError("opaque origin"));
  expect(await persistentStorage()).toEqual({ outcome: "unsupported" });
  vi.spyOn(navigator, "storage", "get").mockReturnValue(undefined as unknown as StorageManager);
  expect(await persistentStorage()).toEqual({ outcome: "unsupported" });
});
