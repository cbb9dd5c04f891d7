import { chmodSync, existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { newFile, startProcess } from "../test/processes.ts";
import { sqliteStorage } from "./node.ts";
import { holdOwnerLock, ownerIsDead } from "./owner-lock.ts";

const OWNER = new URL("../test/owner.ts", import.meta.url);

const lockName = (fileName: string, owner: string) => `${fileName}-owner-${owner}`;

it("an owner lives while its lock is held, also for its own process; where there is no lock, nothing is known", async () => {
  const fileName = newFile();
  const lock = holdOwnerLock(fileName, "r1", Date.now());
  expect(await lock.held).toBe(true);
  expect([ownerIsDead(fileName, "r1"), ownerIsDead(fileName, "r1")]).toEqual([false, false]);
  expect(ownerIsDead(fileName, "r2")).toBeUndefined();
  lock.release();
  lock.release();
  expect(ownerIsDead(fileName, "r1")).toBeUndefined();
  expect(readdirSync(dirname(fileName))).toEqual([]);
});

it("an owner is dead once its process is killed, for all who ask at once", async () => {
  const fileName = newFile();
  const storage = sqliteStorage(fileName);
  const other = startProcess(OWNER, fileName, "r1");
  await other.until((lines) => lines.length > 0);
  expect(other.lines()).toEqual(["true"]);
  expect(await storage.ownerIsDead?.("r1")).toBe(false);
  await other.kill();
  expect(await Promise.all([storage.ownerIsDead?.("r1"), storage.ownerIsDead?.("r1")])).toEqual([true, true]);
  // One process that asks holds it shared, and is no owner for another.
  expect(await storage.ownerIsDead?.("r1")).toBe(true);
  expect(readdirSync(dirname(fileName)).filter((name) => name.includes("journal"))).toEqual([]);
  await storage.close();
});

it("files of the dead are removed after a day, those of the living never", () => {
  const fileName = newFile();
  const old = new Date(Date.now() - 25 * 3_600_000);
  const living = holdOwnerLock(fileName, "living", Date.now());
  for (const owner of ["old", "young"]) writeFileSync(lockName(fileName, owner), "");
  for (const owner of ["old", "living"]) utimesSync(lockName(fileName, owner), old, old);
  holdOwnerLock(fileName, "new", Date.now()).release();
  expect(["old", "young", "living"].map((owner) => existsSync(lockName(fileName, owner)))).toEqual([false, true, true]);
  expect(ownerIsDead(fileName, "living")).toBe(false);
  living.release();
});

it("where no file can be made, nothing is held, and nobody is called dead", async () => {
  const lock = holdOwnerLock("/nonexistent/folder/test.db", "r1", Date.now());
  expect(await lock.held).toBe(false);
  expect(ownerIsDead("/nonexistent/folder/test.db", "r1")).toBeUndefined();
  lock.release();
  const fileName = newFile();
  writeFileSync(lockName(fileName, "strange"), "this is no database ".repeat(100));
  expect(ownerIsDead(fileName, "strange")).toBeUndefined();
  chmodSync(lockName(fileName, "strange"), 0o600);
});

it("a database in memory has no owners but its own", () => {
  const storage = sqliteStorage(":memory:");
  expect([storage.holdOwner, storage.ownerIsDead]).toEqual([undefined, undefined]);
});
