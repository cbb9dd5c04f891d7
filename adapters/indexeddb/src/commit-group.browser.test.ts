import type { Commit, Storage } from "@hephaestus/core";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it, vi } from "vitest";
import { contents, fresh, opened } from "../test/fresh.ts";
import { restore } from "../test/golden/dump.ts";
import { databaseName, type IndexedDbOptions } from "./options.ts";

/** All that a store can be asked for. */
const REQUESTS = [
  "add",
  "put",
  "get",
  "getKey",
  "getAll",
  "getAllKeys",
  "delete",
  "openKeyCursor",
  "openCursor",
] as const;

/** A database with two tabs: instances `ids` of two records, which `stale` has written and `other` has read. */
async function twoTabs(...ids: string[]) {
  const options = fresh();
  const [stale, other] = [opened(options), opened(options)];
  await other.commit([commitOf("the first commit of a connection", 0)]);
  for (const revision of [0, 1]) {
    await stale.commit(ids.map((id) => commitOf(id, revision, { header: headerOf(id, { revision: revision + 1 }) })));
  }
  for (const id of ids) await other.load(id);
  return { options, stale, other };
}

/** What one commit asks the browser for, in order; the end of the transaction and the first answer among it. */
async function askedBy(storage: Storage, commits: readonly Commit[]): Promise<string[]> {
  const asked: string[] = [];
  for (const name of REQUESTS) {
    const original = IDBObjectStore.prototype[name] as (...args: unknown[]) => IDBRequest;
    vi.spyOn(IDBObjectStore.prototype, name).mockImplementation(function (this: IDBObjectStore, ...args: unknown[]) {
      asked.push(`${this.name}.${name}`);
      const request = original.apply(this, args);
      request.addEventListener("success", () => asked.includes("answer") || asked.push("answer"));
      return request as never;
    });
  }
  const commit = IDBTransaction.prototype.commit;
  vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
    asked.push("commit");
    commit.call(this);
  });
  expect(new Set(await storage.commit(commits))).toEqual(new Set(["ok"]));
  vi.restoreAllMocks();
  return asked;
}

const journalOf = async (options: IndexedDbOptions) => [...(await contents(options, "journal")).keys()];
const ended = { header: headerOf("a", { revision: 3, status: "completed" }) };

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a commit of which all is known", () => {
  it("is sent at once: nothing is asked for, and no answer is waited for", async () => {
    const storage = opened(fresh());
    await storage.commit([commitOf("first", 0)]);
    const start = commitOf("a", 0, { header: headerOf("a", { input: '{"n":1}' }) });
    expect(await askedBy(storage, [start])).toEqual(["journal.add", "headers.put", "commit", "answer"]);
    expect(await askedBy(storage, [commitOf("a", 1)])).toEqual(["journal.add", "commit", "answer"]);
    expect(await askedBy(storage, [commitOf("a", 2, ended)])).toEqual([
      "journal.add",
      "headers.put",
      "commit",
      "answer",
    ]);
    const [row] = (await storage.query({ id: "a" })).items;
    expect([row?.status, row?.input]).toEqual(["completed", { n: 1 }]);
  });

  it("may be known from a load, all but its row", async () => {
    const { other } = await twoTabs("a", "b");
    expect(await askedBy(other, [commitOf("a", 2)])).toEqual(["journal.add", "commit", "answer"]);
    const rowUnknown = commitOf("b", 2, { header: headerOf("b", { revision: 3 }) });
    expect(await askedBy(other, [rowUnknown])).toContain("headers.get");
  });

  it("forgets a row that another tab has changed, and keeps what it says of the input", async () => {
    const { stale, other } = await twoTabs("a");
    const header = headerOf("a", { revision: 3, input: '{"n":2}' });
    await other.commit([commitOf("a", 2, { header })]);
    await stale.load("a");
    expect(await stale.commit([commitOf("a", 3, { header: headerOf("a", { revision: 4 }) })])).toEqual(["ok"]);
    expect((await stale.query({ id: "a" })).items[0]?.input).toEqual({ n: 2 });
  });

  it("does not remember a long row", async () => {
    const storage = opened(fresh());
    const input = JSON.stringify("x".repeat(5_000));
    await storage.commit([commitOf("first", 0), commitOf("a", 0, { header: headerOf("a", { input }) })]);
    await storage.commit([commitOf("a", 1)]);
    expect(await askedBy(storage, [commitOf("a", 2, ended)])).toContain("headers.get");
    expect((await storage.query({ id: "a" })).items[0]?.input).toBe("x".repeat(5_000));
  });

  it("goes beside another one that is on its way", async () => {
    const { stale } = await twoTabs("a", "b", "c");
    const answers = await Promise.all(["a", "b", "c"].map((id) => stale.commit([commitOf(id, 2)])));
    expect(answers).toEqual([["ok"], ["ok"], ["ok"]]);
    expect(await askedBy(stale, [commitOf("a", 3)])).toEqual(["journal.add", "commit", "answer"]);
  });
});

describe("a commit that is refused after it was sent", () => {
  it("conflicts alone: the others of its group come through, and each is written once", async () => {
    const { options, stale, other } = await twoTabs("a", "b", "c");
    await other.commit([commitOf("b", 2, { nonce: "other" })]);
    const late = { nonce: "late", header: headerOf("b", { revision: 3, status: "failed" }) };
    const group = [commitOf("a", 2), commitOf("b", 2, late), commitOf("c", 2)];
    expect(await stale.commit(group)).toEqual(["ok", "conflict", "ok"]);
    expect((await stale.load("b"))?.map(({ nonce }) => nonce)).toEqual(["n0", "n1", "other"]);
    expect((await stale.query({ id: "b" })).items[0]?.status).toBe("running");
    const keys = await journalOf(options);
    expect(keys.filter((key) => key.startsWith('["a"'))).toEqual(['["a",1]', '["a",2]', '["a",3]']);
    // And it goes on as before.
    expect(await askedBy(stale, [commitOf("a", 3), commitOf("c", 3)])).toEqual([
      "journal.add",
      "journal.add",
      "commit",
      "answer",
    ]);
  });

  it("is a start of what is there already, known or not", async () => {
    const { options, other } = await twoTabs("a");
    const third = opened(options);
    await third.commit([commitOf("first", 0)]);
    for (const storage of [other, third]) expect(await storage.commit([commitOf("a", 0)])).toEqual(["conflict"]);
  });

  it("skips no revision", async () => {
    const { options, stale } = await twoTabs("a");
    for (const expected of [3, 1, 0]) expect(await stale.commit([commitOf("a", expected)])).toEqual(["conflict"]);
    expect((await journalOf(options)).filter((key) => key.startsWith('["a"'))).toEqual(['["a",1]', '["a",2]']);
  });
});

describe("what another tab removed", () => {
  it("takes no commit of one who knew it, though the key is free, and gets no row", async () => {
    const { options, stale, other } = await twoTabs("a", "b");
    while ((await other.remove("a", 2)).more);
    const before = await contents(options, "headers");
    const group = [commitOf("b", 2), commitOf("a", 2, ended)];
    expect(await stale.commit(group)).toEqual(["ok", "conflict"]);
    expect(await stale.load("a")).toBeUndefined();
    expect((await contents(options, "headers")).size).toBe(before.size);
    // Its id is free again.
    expect(await stale.commit([commitOf("a", 0)])).toEqual(["ok"]);
  });

  it("takes no commit in the middle of what is gone while later records stay", async () => {
    const { stale, other } = await twoTabs("a");
    for (const revision of [2, 3, 4]) await other.commit([commitOf("a", revision)]);
    while ((await other.remove("a", 4)).more);
    expect(await stale.commit([commitOf("a", 2)])).toEqual(["conflict"]);
    expect((await stale.load("a"))?.map(({ revision }) => revision)).toEqual([5]);
  });

  it("takes no start while later records stay, nor a commit after its first record, by whoever looks or does not", async () => {
    const { options, stale, other } = await twoTabs("a");
    while ((await other.remove("a", 1)).more);
    const third = opened(options);
    await third.commit([commitOf("first", 0)]);
    for (const storage of [third, other, stale, opened(options)]) {
      for (const expected of [0, 1]) expect(await storage.commit([commitOf("a", expected)])).toEqual(["conflict"]);
      expect((await storage.load("a"))?.map(({ revision }) => revision)).toEqual([2]);
    }
    expect(await stale.commit([commitOf("a", 2)])).toEqual(["ok"]);
    while ((await stale.remove("a", 3)).more);
    expect((await journalOf(options)).filter((key) => key.startsWith('["a"'))).toEqual([]);
  });

  it("is noticed also by one who sends nothing but what has not been touched, once", async () => {
    const { options, stale, other } = await twoTabs("a", "b");
    while ((await other.remove("a", 2)).more);
    const taken = async () => (await journalOf(options)).filter((key) => /^\[\d/.test(key)).length;
    expect(await taken()).toBe(1);
    expect(await stale.commit([commitOf("b", 2)])).toEqual(["ok"]);
    // It has looked, and has no standing: it looks again, registers, and is as it was.
    expect(await stale.commit([commitOf("b", 3)])).toEqual(["ok"]);
    expect(await askedBy(stale, [commitOf("b", 4)])).toEqual(["journal.add", "commit", "answer"]);
    expect(await taken()).toBe(0);
  });

  it("is known to the one who removed it, also while a commit of its own is on its way", async () => {
    const { stale } = await twoTabs("a", "b");
    const send = vi.spyOn(IDBTransaction.prototype, "commit");
    const sent = stale.commit([commitOf("b", 2)]);
    await vi.waitFor(() => expect(send).toHaveBeenCalled(), { interval: 0 });
    expect(await Promise.all([sent, stale.remove("b", 3)])).toEqual([["ok"], { more: false }]);
    vi.restoreAllMocks();
    expect(await askedBy(stale, [commitOf("a", 2)])).toEqual(["journal.add", "commit", "answer"]);
    expect(await stale.commit([commitOf("b", 3), commitOf("a", 3)])).toEqual(["conflict", "ok"]);
  });

  it("may be what held the last ticket of the one who removed it, whose next one is taken all the same", async () => {
    const { stale, other } = await twoTabs("a", "b");
    expect(await stale.commit([commitOf("b", 2)])).toEqual(["ok"]);
    while ((await stale.remove("b", 3)).more);
    while ((await other.remove("a", 2)).more);
    expect(await stale.commit([commitOf("a", 2)])).toEqual(["conflict"]);
  });

  it("is not learned from what is read meanwhile by the one who removes it", async () => {
    const { stale } = await twoTabs("a");
    const begin = vi.spyOn(IDBDatabase.prototype, "transaction");
    const reading = stale.load("a");
    await vi.waitFor(() => expect(begin).toHaveBeenCalled(), { interval: 0 });
    const removed = await Promise.all([stale.remove("a", 1), stale.remove("a", 2)]);
    expect([(await reading)?.length, ...removed]).toEqual([2, { more: false }, { more: false }]);
    expect(await stale.commit([commitOf("a", 2)])).toEqual(["conflict"]);
    expect(await stale.load("a")).toBeUndefined();
  });

  it("leaves what was taken from the writers of a database that was made anew, who have the old ones' numbers", async () => {
    const { options, stale, other } = await twoTabs("a");
    while ((await other.remove("a", 2)).more);
    // Its ticket was taken, and the database is gone before it registers again.
    expect(await stale.commit([commitOf("b", 0)])).toEqual(["ok"]);
    await deleteDB(databaseName(options));
    const again = [opened(options), opened(options), opened(options)];
    for (const [n, storage] of again.entries())
      await storage.commit([commitOf(`of ${n}`, 0), commitOf(`too of ${n}`, 0)]);
    // The last one takes the tickets of the others; each has known something that is removed.
    for (const n of [0, 1]) while ((await again[2]?.remove(`of ${n}`, 1))?.more);
    for (const storage of [stale, other]) expect(await storage.commit([commitOf("a", 0)])).toHaveLength(1);
    for (const storage of [stale, other]) while ((await storage.remove("nothing", 1)).more);
    for (const n of [0, 1]) expect(await again[n]?.commit([commitOf(`of ${n}`, 1)])).toEqual(["conflict"]);
  });

  it("is removed after all writers were told, of whom there may be many", async () => {
    const { options, stale, other } = await twoTabs("a");
    const opening = indexedDB.open(databaseName(options));
    await new Promise<void>((resolve) => {
      opening.onsuccess = () => {
        const transaction = opening.result.transaction("writers", "readwrite");
        for (let n = 0; n < 150; n++) transaction.objectStore("writers").add(0);
        transaction.oncomplete = () => resolve();
      };
    });
    opening.result.close();
    expect(await other.remove("a", 2)).toEqual({ more: true });
    expect((await other.load("a"))?.length).toBe(2);
    while ((await other.remove("a", 2)).more);
    // But for the one who removed it.
    expect((await contents(options, "writers")).size).toBe(1);
    expect(await stale.commit([commitOf("a", 2)])).toEqual(["conflict"]);
  });
});

it("an instance whose first records were removed by an older version takes no start after the upgrade", async () => {
  const options = fresh();
  const row = (id: string, revision: number) => ({
    key: [id, revision],
    value: { revision, run: 1, nonce: `old${revision}`, changes: { at: 1 } },
  });
  await restore(databaseName(options), {
    version: 1,
    stores: {
      journal: { keyPath: null, indexes: {}, rows: [row("a", 5), row("a", 6), row("b", 1), row("b", 2), row("c", 9)] },
      payloads: { keyPath: null, indexes: {}, rows: [] },
      headers: {
        keyPath: ["id", "run"],
        indexes: {
          created: ["createdAt", "id", "run"],
          due: ["workflow", "version", "fingerprint", "wakeAt"],
        },
        rows: [],
      },
    },
  });
  const storage = opened(options);
  await storage.commit([commitOf("first", 0)]);
  const revisionsOf = async (id: string) => (await storage.load(id))?.map(({ revision }) => revision);
  expect(await Promise.all(["a", "b", "c", "d"].map(revisionsOf))).toEqual([[5, 6], [1, 2], [9], undefined]);
  for (const id of ["a", "b", "c"]) expect(await storage.commit([commitOf(id, 0)])).toEqual(["conflict"]);
  expect(await storage.commit([commitOf("a", 6), commitOf("b", 2), commitOf("c", 9)])).toEqual(["ok", "ok", "ok"]);
});
