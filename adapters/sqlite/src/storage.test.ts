import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Changes, Storage } from "@hephaestus/core";
import { commitOf, headerOf, storageConformance } from "@hephaestus/core/testing/conformance";
import fc from "fast-check";
import { expect, it } from "vitest";
import { migrate } from "./migrations.ts";
import { nodePort, sqliteStorage } from "./node.ts";
import type { SqlPort, Statement } from "./port.ts";
import { type SqlStorageOptions, sqlStorage } from "./storage.ts";

storageConformance("sqlite, a file with two connections", async () => {
  const fileName = join(mkdtempSync(join(tmpdir(), "hephaestus-")), "test.db");
  const open = async (): Promise<Storage> => sqliteStorage(fileName);
  return { open, reopen: open };
});

storageConformance("sqlite, in memory, a group in as few statements as possible", async () => {
  const { storage } = await observed();
  return { open: async () => storage, reopen: async () => storage };
});

/** A storage whose statements are kept to be looked at, and which makes them as few as possible. */
async function observed(options: SqlStorageOptions = {}) {
  const port = nodePort(new DatabaseSync(":memory:"));
  await migrate(port);
  const batches: (readonly Statement[])[] = [];
  const observedPort: SqlPort = {
    batch(statements) {
      batches.push(statements);
      return port.batch(statements);
    },
  };
  const storage = sqlStorage(observedPort, options);
  return { storage, batches, port };
}

it("a group of commits is two statements, three with tags", async () => {
  const { storage, batches } = await observed();
  const group = Array.from({ length: 100 }, (_, n) => commitOf(`i${n}`, 0, { header: headerOf(`i${n}`) }));
  expect(await storage.commit(group)).toEqual(Array(100).fill("ok"));
  await storage.commit([commitOf("t", 0, { header: headerOf("t", { tags: ["a"] }) })]);
  expect(batches.map((statements) => statements.length)).toEqual([2, 3]);
});

it("where statements are cheap, each commit has its own, by texts that are prepared once", async () => {
  const port = nodePort(new DatabaseSync(":memory:"));
  await migrate(port);
  const batches: (readonly Statement[])[] = [];
  const batch: SqlPort["batch"] = (statements) => {
    batches.push(statements);
    return port.batch(statements);
  };
  const storage = sqlStorage({ ...port, batch });
  const group = (expected: number, header: boolean) =>
    ["a", "b", "c"].map((id) => commitOf(id, expected, header ? { header: headerOf(id, { tags: ["x"] }) } : {}));
  expect(await storage.commit(group(0, true))).toEqual(["ok", "ok", "ok"]);
  expect(await storage.commit([...group(1, false), commitOf("d", 1)])).toEqual(["ok", "ok", "ok", "conflict"]);
  expect(await storage.commit([...group(1, true), commitOf("d", 0)])).toEqual([...Array(3).fill("conflict"), "ok"]);
  expect(batches.map((statements) => statements.length)).toEqual([9, 4, 10]);
  expect(new Set(batches.flat().map(({ sql }) => sql)).size).toBe(3);
});

it("a bound value stays under 2 MB and a statement under 100 parameters, whatever is committed", async () => {
  const { storage, batches } = await observed();
  for (const [index, character] of ["a", '"', "ü", "漢", "😀", "\ud800"].entries()) {
    const text = JSON.stringify(character.repeat(Math.floor(890_000 / (JSON.stringify(character).length - 2))));
    const changes: Changes = { at: 1, steps: { s: { status: "completed", metadata: character.repeat(100_000) } } };
    const id = `big${index}`;
    const other = commitOf(`other${index}`, 0, { payloads: { input: text.slice(0, 200_000) } });
    const header = headerOf(id, { input: text, results: { charge: text } });
    const payloads = { input: text, "result:s": text };
    expect(await storage.commit([commitOf(id, 0, { changes, payloads, header }), other])).toEqual(["ok", "ok"]);
    expect((await storage.load(id))?.[0]?.changes).toEqual(changes);
    expect(await storage.payloads(id, [1])).toEqual([payloads]);
    expect(await storage.payloads(other.id, [1])).toEqual([other.payloads]);
    const tooLarge = Buffer.byteLength(text) > 1_900_000;
    expect((await storage.query({ id })).items[0]?.input).toEqual(tooLarge ? undefined : JSON.parse(text));
  }
  for (const { params } of batches.flat()) {
    expect(params.length).toBeLessThanOrEqual(100);
    // A header row's input is bound by itself and has the row's limit.
    for (const param of params) expect(Buffer.byteLength(String(param))).toBeLessThanOrEqual(1_900_000);
  }
}, 30_000);

it("pieces obey the fence, and go with their record", async () => {
  const { storage, port } = await observed();
  const text = JSON.stringify("x".repeat(800_000));
  const pieces = async () => {
    const [rows = []] = await port.batch([{ sql: "SELECT count(*) AS n FROM hephaestus_pieces", params: [] }]);
    return rows[0]?.n;
  };
  await storage.commit([commitOf("a", 0)]);
  expect(await storage.commit([commitOf("a", 0, { payloads: { input: text } })])).toEqual(["conflict"]);
  expect(await pieces()).toBe(0);
  await storage.commit([
    commitOf("a", 1, { payloads: { input: text } }),
    commitOf("a2", 0, { payloads: { input: text } }),
  ]);
  expect(await pieces()).toBe(4);
  expect(await storage.remove("a", 2)).toEqual({ more: false });
  expect(await pieces()).toBe(2);
  expect(await storage.payloads("a", [2])).toEqual([{}]);
});

it("a result of null, and the fields of an object, survive the merge of results", async () => {
  const { storage } = await observed();
  const put = (revision: number, results: Record<string, string>) =>
    storage.commit([commitOf("a", revision - 1, { header: headerOf("a", { revision, results }) })]);
  await put(1, { charge: '{"a":1,"b":{"c":null}}', ship: "null", precise: "0.1" });
  await put(2, { charge: '{"b":{"d":2}}', later: "[null]" });
  const finds = async (where: Record<string, string | number | boolean | null | { exists: boolean }>) =>
    (await storage.query({ where })).items.length === 1;
  expect(await finds({ "results.ship": null })).toBe(true);
  expect(await finds({ "results.charge.a": { exists: false }, "results.charge.b.d": 2 })).toBe(true);
  expect(await finds({ "results.later.0": null, "results.precise": 0.1 })).toBe(true);
});

it("results that would make a row too large are left out of it, and the commit succeeds", async () => {
  const { storage } = await observed();
  const text = JSON.stringify("x".repeat(890_000));
  for (let revision = 1; revision <= 4; revision++) {
    const header = headerOf("a", { revision, results: { [`s${revision}`]: text } });
    expect(await storage.commit([commitOf("a", revision - 1, { header })])).toEqual(["ok"]);
  }
  const found = async (step: string) =>
    (await storage.query({ where: { [`results.${step}`]: { exists: true } } })).items.length;
  expect([await found("s1"), await found("s2"), await found("s3"), await found("s4")]).toEqual([1, 1, 0, 0]);
});

it("names with any character are kept as they are, and apart", async () => {
  const hostile = fc.string({
    minLength: 1,
    unit: fc.oneof(
      fc.constantFrom("\0", "\u001a", "\ud83d", "\ude00", "\ud800", "'", '"', "\\", "\u2028", "😀", "0"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(hostile, { minLength: 1, maxLength: 5 }),
      hostile,
      fc.boolean(),
      async (ids, name, isGrouped) => {
        const namespace = name;
        const storage = isGrouped ? (await observed({ namespace })).storage : sqliteStorage(":memory:", { namespace });
        const payloads = { [`event:${name}`]: JSON.stringify(name) };
        const changes: Changes = {
          at: 1,
          steps: { [name]: { status: "waiting", taken: name, metadata: { [name]: name } } },
        };
        const headers = ids.map((id) =>
          headerOf(id, {
            workflow: name,
            key: name,
            fingerprint: name,
            tags: [name],
            owner: name,
            wakeAt: 1,
            current: [name],
            metadata: { m: name },
          }),
        );
        await storage.commit(
          ids.map((id, n) => commitOf(id, 0, { nonce: name, changes, payloads, header: headers[n]! })),
        );
        for (const [n, id] of ids.entries()) {
          expect(await storage.load(id)).toEqual([{ revision: 1, run: 1, nonce: name, changes }]);
          expect(await storage.payloads(id, [1])).toEqual([payloads]);
          const { owner: _owner, wakeAt: _wakeAt, ...summary } = headers[n]!;
          expect((await storage.query({ id, key: name, workflow: name, tag: name })).items).toEqual([summary]);
        }
        const definitions = [{ workflow: name, version: 1, fingerprint: name }];
        const due = await storage.due({ before: 1, limit: 10, definitions });
        expect(new Set(due)).toEqual(new Set(ids.map((id) => ({ id, run: 1, wakeAt: 1, owner: name }))));
        const first = await storage.query({ tag: name, limit: 1 });
        const rest = first.next ? (await storage.query({ tag: name, cursor: first.next })).items : [];
        expect(new Set([...first.items, ...rest].map((item) => item.id))).toEqual(new Set(ids));
        await storage.close?.();
      },
    ),
    { numRuns: 60 },
  );
});

it.each([
  ["each by itself", async () => sqliteStorage(":memory:")],
  ["in one statement", async () => (await observed()).storage],
])("of two commits of one instance in a group one wins, though a caller should not ask: %s", async (_, open) => {
  const storage = await open();
  const answers = await storage.commit([commitOf("a", 0, { nonce: "x" }), commitOf("a", 0, { nonce: "y" })]);
  expect(answers.toSorted()).toEqual(["conflict", "ok"]);
  expect((await storage.load("a"))?.map((record) => record.nonce)).toEqual([answers[0] === "ok" ? "x" : "y"]);
});

it("a namespace sees nothing of another", async () => {
  const { port } = await observed();
  const [one, two] = [sqlStorage(port, { namespace: "one" }), sqlStorage(port, { namespace: "two" })];
  const header = headerOf("a", { wakeAt: 5, tags: ["t"] });
  const definitions = [{ workflow: "flow", version: 1, fingerprint: "f1" }];
  expect(await one.commit([commitOf("a", 0, { header, payloads: { input: "1" } })])).toEqual(["ok"]);
  expect(await two.load("a")).toBeUndefined();
  expect(await two.payloads("a", [1])).toEqual([{}]);
  expect((await two.query({})).items).toEqual([]);
  expect((await two.query({ tag: "t" })).items).toEqual([]);
  expect(await two.due({ before: 9, limit: 9, definitions })).toEqual([]);
  await two.remove("a", 9);
  expect(await two.commit([commitOf("a", 0, { header })])).toEqual(["ok"]);
  expect((await one.load("a"))?.length).toBe(1);
  expect((await one.query({ tag: "t" })).items.length).toBe(1);
});

it("a long journal is removed in several calls, its header row with the last", async () => {
  const { storage } = await observed();
  for (let revision = 0; revision < 2_500; revision++) await storage.commit([commitOf("a", revision)]);
  await storage.commit([
    commitOf("a", 2_500, { header: headerOf("a", { revision: 2_501, status: "deleted", tags: ["x"] }) }),
  ]);
  const definitions = [{ workflow: "flow", version: 1, fingerprint: "f1" }];
  await storage.commit([
    commitOf("a", 2_501, { header: headerOf("a", { revision: 2_502, status: "deleted", wakeAt: 1 }) }),
  ]);
  let calls = 0;
  for (;;) {
    calls++;
    if (!(await storage.remove("a", 2_502)).more) break;
    expect(await storage.due({ before: 1, limit: 1, definitions })).toHaveLength(1);
    expect(await storage.commit([commitOf("a", 0)])).toEqual(["conflict"]);
  }
  expect(calls).toBe(3);
  expect(await storage.due({ before: 1, limit: 1, definitions })).toEqual([]);
  expect(await storage.load("a")).toBeUndefined();
});

it("what is not JSON in the journal is STORAGE_CORRUPT", async () => {
  const { storage, port } = await observed();
  await storage.commit([commitOf("a", 0, { payloads: { input: "1" } })]);
  await port.batch([{ sql: "UPDATE hephaestus_journal SET changes = '{', payloads = '{'", params: [] }]);
  await expect(storage.load("a")).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
  await expect(storage.payloads("a", [1])).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
});
