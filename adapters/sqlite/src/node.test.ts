import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { HephaestusError } from "@hephaestus/core";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { newFile, type Process, startProcess } from "../test/processes.ts";
import { migrate } from "./migrations.ts";
import { nodePort, sqliteStorage } from "./node.ts";
import { sqlStorage } from "./storage.ts";

const WRITER = new URL("../test/writer.ts", import.meta.url);

const code = (work: () => unknown) => {
  try {
    work();
    return "no error";
  } catch (error) {
    expect(error).toBeInstanceOf(HephaestusError);
    expect((error as HephaestusError).cause).toBeInstanceOf(Error);
    return (error as HephaestusError).code;
  }
};
const codeOf = (work: unknown) =>
  Promise.resolve(work).then(
    () => "no error",
    (error: unknown) =>
      code(() => {
        throw error;
      }),
  );

it("keeps what was committed when it is closed and opened again, with either synchronous setting", async () => {
  for (const synchronous of ["NORMAL", "FULL"] as const) {
    const fileName = newFile();
    const first = sqliteStorage(fileName, { synchronous });
    await first.commit([commitOf("a", 0, { payloads: { input: "1" }, header: headerOf("a") })]);
    await first.close();
    await first.close();
    const second = sqliteStorage(fileName, { synchronous });
    expect(await second.load("a")).toHaveLength(1);
    expect(await second.payloads("a", [1])).toEqual([{ input: "1" }]);
    await second.close();
    const database = new DatabaseSync(fileName);
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  }
});

it("a strict commit is on the disk when it is answered, and others as the option says", async () => {
  const database = new DatabaseSync(newFile());
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  await migrate(nodePort(database));
  const seen: unknown[] = [];
  // Reads the setting while a commit is made.
  database.function("seen", () => {
    seen.push(database.prepare("PRAGMA synchronous").get()?.synchronous);
    return 1;
  });
  database.exec("CREATE TRIGGER look AFTER INSERT ON hephaestus_journal BEGIN SELECT seen(); END");
  const storage = sqlStorage(nodePort(database));
  await storage.commit([commitOf("a", 0)]);
  await storage.commit([commitOf("a", 1), commitOf("b", 0, { durability: "strict" })]);
  expect(await storage.commit([commitOf("a", 1, { durability: "strict" })])).toEqual(["conflict"]);
  await storage.commit([commitOf("a", 2)]);
  const [NORMAL, FULL] = [1, 2];
  expect(seen).toEqual([NORMAL, FULL, FULL, NORMAL]);
});

it("a database that another one holds too long is STORAGE_UNAVAILABLE, and works again afterwards", async () => {
  const fileName = newFile();
  const storage = sqliteStorage(fileName, { busyTimeoutMs: 20 });
  const other = new DatabaseSync(fileName);
  other.exec("BEGIN IMMEDIATE");
  expect(await codeOf(storage.commit([commitOf("a", 0)]))).toBe("STORAGE_UNAVAILABLE");
  expect(await codeOf(storage.commit([commitOf("a", 0, { header: headerOf("a") })]))).toBe("STORAGE_UNAVAILABLE");
  expect(code(() => sqliteStorage(fileName, { busyTimeoutMs: 20 }))).toBe("STORAGE_UNAVAILABLE");
  expect(await storage.load("a")).toBeUndefined();
  other.exec("COMMIT");
  expect(await storage.commit([commitOf("a", 0)])).toEqual(["ok"]);
});

it("a full database is STORAGE_FULL, keeps what it has, and goes on when there is room", async () => {
  const database = new DatabaseSync(newFile());
  await sqliteStorage(database.location() ?? "").close();
  const storage = sqlStorage(nodePort(database));
  await storage.commit([commitOf("a", 0)]);
  database.exec("PRAGMA max_page_count = 40");
  const payloads = { input: JSON.stringify("x".repeat(400_000)) };
  expect(await codeOf(storage.commit([commitOf("a", 1, { payloads, header: headerOf("a") })]))).toBe("STORAGE_FULL");
  expect(await storage.load("a")).toHaveLength(1);
  expect((await storage.query({})).items).toEqual([]);
  database.exec("PRAGMA max_page_count = 4000");
  expect(await storage.commit([commitOf("a", 1, { payloads })])).toEqual(["ok"]);
});

it("a read-only database is STORAGE_UNAVAILABLE for commits, and can be read", async () => {
  const fileName = newFile();
  const writer = sqliteStorage(fileName);
  await writer.commit([commitOf("a", 0)]);
  const storage = sqlStorage(nodePort(new DatabaseSync(fileName, { readOnly: true })));
  expect(await storage.load("a")).toHaveLength(1);
  expect(await codeOf(storage.commit([commitOf("a", 1)]))).toBe("STORAGE_UNAVAILABLE");
  expect(await codeOf(storage.commit([commitOf("a", 1, { header: headerOf("a") })]))).toBe("STORAGE_UNAVAILABLE");
});

it("what is no database is STORAGE_CORRUPT, a path that cannot be opened STORAGE_UNAVAILABLE", async () => {
  const fileName = newFile();
  writeFileSync(fileName, "this is not a database, but it is long enough to be taken for one ".repeat(100));
  expect(code(() => sqliteStorage(fileName))).toBe("STORAGE_CORRUPT");
  chmodSync(fileName, 0o600);
  expect(code(() => sqliteStorage("/nonexistent/folder/x.db"))).toBe("STORAGE_UNAVAILABLE");
});

it("a damaged page is STORAGE_CORRUPT", async () => {
  const fileName = newFile();
  const storage = sqliteStorage(fileName);
  for (let n = 0; n < 200; n++)
    await storage.commit([commitOf(`i${n}`, 0, { payloads: { input: `"${"x".repeat(500)}"` } })]);
  await storage.close();
  const damaged = new DatabaseSync(fileName);
  damaged.exec("PRAGMA journal_mode = DELETE");
  damaged.close();
  const bytes = readFileSync(fileName);
  bytes.fill(0x5a, 4_096 * 8);
  writeFileSync(fileName, bytes);
  const codes = new Set<string>();
  const again = sqliteStorage(fileName);
  for (let n = 0; n < 200; n++) codes.add(await codeOf(again.load(`i${n}`)));
  expect([...codes].filter((one) => one !== "no error")).toEqual(["STORAGE_CORRUPT"]);
});

it("a closed storage is STORAGE_UNAVAILABLE", async () => {
  const storage = sqliteStorage(":memory:");
  await storage.close();
  expect(await codeOf(storage.load("a"))).toBe("STORAGE_UNAVAILABLE");
  expect(await codeOf(storage.commit([commitOf("a", 0)]))).toBe("STORAGE_UNAVAILABLE");
});

const wordsOf = (process: Process) => process.lines().map((line) => line.split(" ") as [string, string, string]);

it("of several processes on one new file, each revision has one winner", async () => {
  const fileName = newFile();
  const writers = ["one", "two", "three"].map((name) => startProcess(WRITER, fileName, name, 4, 100));
  expect(await Promise.all(writers.map(({ exitCode }) => exitCode))).toEqual([0, 0, 0]);
  const wins = writers.flatMap(wordsOf).filter(([answer]) => answer === "ok");
  expect(new Set(wins.map(([, id, revision]) => `${id} ${revision}`)).size).toBe(wins.length);
  const storage = sqliteStorage(fileName);
  for (const id of ["i0", "i1", "i2", "i3"]) {
    const revisions = (await storage.load(id))?.map((record) => record.revision);
    expect(revisions).toEqual(Array.from({ length: revisions?.length ?? 0 }, (_, n) => n + 1));
    expect(revisions?.length).toBe(wins.filter((win) => win[1] === id).length);
  }
}, 60_000);

it("a process that is killed loses nothing that was answered", async () => {
  const fileName = newFile();
  const writer = startProcess(WRITER, fileName, "one", 2, 1_000_000);
  await writer.until((lines) => lines.length >= 500);
  await writer.kill();
  const storage = sqliteStorage(fileName);
  const acknowledged = wordsOf(writer).filter(([answer]) => answer === "ok");
  for (const [, id, revision] of [
    acknowledged.findLast(([, one]) => one === "i0")!,
    acknowledged.findLast(([, one]) => one === "i1")!,
  ]) {
    expect((await storage.load(id))?.at(-1)?.revision).toBeGreaterThanOrEqual(Number(revision));
  }
  expect(await storage.commit([commitOf("new", 0)])).toEqual(["ok"]);
}, 60_000);
