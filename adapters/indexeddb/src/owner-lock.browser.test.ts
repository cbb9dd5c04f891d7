import { afterEach, expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";
import { holdOwnerLock } from "./owner-lock.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("an owner is alive while its lock is held, and dead from its release on", async () => {
  const options = fresh();
  const storage = opened(options);
  expect(await storage.ownerIsDead?.("r1")).toBe(true);
  const lock = holdOwnerLock("r1", options);
  expect(await lock.held).toBe(true);
  expect(await storage.ownerIsDead?.("r1")).toBe(false);
  expect(await storage.ownerIsDead?.("r2")).toBe(true);
  expect(await opened(fresh()).ownerIsDead?.("r1")).toBe(true);
  lock.release();
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("r1")).toBe(true));
});

it("an owner that waits for its lock is alive, and leaves no lock when it is released meanwhile", async () => {
  const options = fresh();
  const storage = opened(options);
  const first = holdOwnerLock("r1", options);
  await first.held;
  const second = holdOwnerLock("r1", options);
  const third = holdOwnerLock("r1", options);
  third.release();
  expect(await third.held).toBe(false);
  first.release();
  expect(await storage.ownerIsDead?.("r1")).toBe(false);
  expect(await second.held).toBe(true);
  second.release();
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("r1")).toBe(true));
});

it.each([
  ["freeze", "resume"],
  ["pagehide", "pageshow"],
])("an owner whose page sleeps from %s to %s is dead for as long", async (asleep, awake) => {
  const options = fresh();
  const storage = opened(options);
  const lock = holdOwnerLock("r1", options);
  await lock.held;
  dispatchEvent(new Event(awake));
  dispatchEvent(new Event("pagehide"));
  expect(await storage.ownerIsDead?.("r1")).toBe(false);
  dispatchEvent(new PageTransitionEvent(asleep, { persisted: true }));
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("r1")).toBe(true));
  dispatchEvent(new Event(awake));
  dispatchEvent(new Event(awake));
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("r1")).toBe(false));
  lock.release();
  await vi.waitFor(async () => expect(await storage.ownerIsDead?.("r1")).toBe(true));
  dispatchEvent(new PageTransitionEvent(asleep, { persisted: true }));
  dispatchEvent(new Event(awake));
  expect(await storage.ownerIsDead?.("r1")).toBe(true);
});

it("nobody is called dead where there are no locks", async () => {
  vi.spyOn(navigator, "locks", "get").mockReturnValue(undefined as unknown as LockManager);
  const options = fresh();
  expect(await holdOwnerLock("r1", options).held).toBe(false);
  expect(await opened(options).ownerIsDead?.("r1")).toBe(false);
});

it("nobody is called dead when the browser does not answer", async () => {
  vi.spyOn(navigator.locks, "query").mockRejectedValue(new DOMException("gone", "InvalidStateError"));
  expect(await opened(fresh()).ownerIsDead?.("r1")).toBe(false);
});
