import { describe, expect, it } from "vitest";
import type { Changes, StepState } from "../engine/state.ts";
import type { Storage } from "../runtime/storage.ts";
import { headerConformance } from "./header-suite.ts";
import { commitOf, headerOf, type StorageLane } from "./storage-fixtures.ts";

/**
 * What every storage must do, run in its real runtime by each adapter.
 *
 * @example
 * storageConformance("sqlite", async () => lane);
 */
export function storageConformance(name: string, makeLane: () => Promise<StorageLane>): void {
  describe(`storage conformance: ${name}`, () => {
    let counter = 0;
    async function setUp() {
      const lane = await makeLane();
      const storage = await lane.open();
      const prefix = `${lane.prefix ?? ""}${++counter}-`;
      return { lane, storage, id: (text: string) => `${prefix}${text}` };
    }

    it("has nothing of an unknown instance", async () => {
      const { storage, id } = await setUp();
      expect(await storage.load(id("nobody"))).toBeUndefined();
      expect(await storage.load(id("nobody"), 3)).toBeUndefined();
      expect(await storage.payloads(id("nobody"), [1])).toEqual([{}]);
    });

    it("loads what was committed, in order, without payloads", async () => {
      const { storage, id } = await setUp();
      const one = commitOf(id("a"), 0, { payloads: { input: '{"n":1}' } });
      expect(await storage.commit([one])).toEqual(["ok"]);
      expect(await storage.commit([commitOf(id("a"), 1)])).toEqual(["ok"]);
      expect(await storage.load(id("a"))).toEqual([
        { revision: 1, run: 1, nonce: "n0", changes: one.changes },
        { revision: 2, run: 1, nonce: "n1", changes: commitOf(id("a"), 1).changes },
      ]);
    });

    it("loads the records after a revision, and none when there are none", async () => {
      const { storage, id } = await setUp();
      for (let revision = 0; revision < 12; revision++) await storage.commit([commitOf(id("a"), revision)]);
      const later = await storage.load(id("a"), 9);
      expect(later?.map((record) => record.revision)).toEqual([10, 11, 12]);
      expect(await storage.load(id("a"), 12)).toEqual([]);
    });

    it("answers payloads by revision, in the order asked for", async () => {
      const { storage, id } = await setUp();
      const text = JSON.stringify({ text: "ü\u2028\u0000\ud83d\ude00\"'", deep: [[{ a: null }]] });
      await storage.commit([commitOf(id("a"), 0, { payloads: { input: text, "result:s": "1" } })]);
      await storage.commit([commitOf(id("a"), 1)]);
      await storage.commit([commitOf(id("a"), 2, { payloads: { "event:x": "true" } })]);
      expect(await storage.payloads(id("a"), [3, 1, 2])).toEqual([
        { "event:x": "true" },
        { input: text, "result:s": "1" },
        {},
      ]);
    });

    it("keeps hostile names and texts as they are", async () => {
      const { storage, id } = await setUp();
      const hostile = id("x'; DROP TABLE journal;-- \"%_\\ ü😀");
      const active: StepState = { status: "active" };
      const waiting: StepState = { status: "waiting", wakeAt: 9 };
      const changes: Changes = { at: 5, steps: { constructor: active, toString: waiting } };
      expect(await storage.commit([commitOf(hostile, 0, { changes })])).toEqual(["ok"]);
      const [record] = (await storage.load(hostile)) ?? [];
      expect(record?.changes).toEqual(changes);
      expect(Object.keys(record?.changes.steps ?? {})).toEqual(["constructor", "toString"]);
    });

    it("LESSONS 19: what went in comes out with its names and their order, whatever they look like", async () => {
      const { storage, id } = await setUp();
      const metadata = { z: 1, "01": "one", 2: { b: [], a: {} }, "": null, "a.b": [true, 1.5, "1"] };
      const changes: Changes = {
        at: 7,
        run: {
          format: 1,
          run: 1,
          workflow: "flow",
          version: 1,
          fingerprint: "f1",
          tags: ["1", "a"],
          metadata,
          telemetry: metadata,
        },
        steps: { "2": { status: "completed", event: "done", metadata }, "1": { status: "active" } },
      };
      await storage.commit([commitOf(id("a"), 0, { changes, header: headerOf(id("a"), { metadata }) })]);
      const [record] = (await storage.load(id("a"))) ?? [];
      expect(JSON.stringify(record?.changes)).toBe(JSON.stringify(changes));
      if (!storage.capabilities.headers) return;
      const [row] = (await storage.query({ id: id("a") })).items;
      expect(JSON.stringify(row?.metadata)).toBe(JSON.stringify(metadata));
    });

    it("LESSONS 12, 18: record, payloads and row of a start are of one writer, or none is there", async () => {
      const { storage, lane, id } = await setUp();
      const writers = [storage, await lane.reopen()];
      for (let round = 0; round < 10; round++) {
        const one = id(`s${round}`);
        const answers = await Promise.all(
          writers.map((writer, n) => {
            const header = headerOf(one, { key: `k${n}`, input: `${n}` });
            return writer.commit([commitOf(one, 0, { nonce: `w${n}`, payloads: { input: `${n}` }, header })]);
          }),
        );
        const won = answers.findIndex(([answer]) => answer === "ok");
        expect((await storage.load(one))?.map((record) => record.nonce)).toEqual([`w${won}`]);
        expect(await storage.payloads(one, [1])).toEqual([{ input: `${won}` }]);
        if (!storage.capabilities.headers) continue;
        const { items } = await storage.query({ id: one });
        expect(items.map(({ key, input }) => [key, input])).toEqual([[`k${won}`, won]]);
      }
    });

    it("refuses a stale revision, a second start and a skipped revision, and changes nothing", async () => {
      const { storage, id } = await setUp();
      await storage.commit([commitOf(id("a"), 0), commitOf(id("b"), 0)]);
      await storage.commit([commitOf(id("a"), 1)]);
      const before = await storage.load(id("a"));
      const bad = { nonce: "bad", header: headerOf(id("a"), { status: "failed" }) };
      expect(await storage.commit([commitOf(id("a"), 1, bad)])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("a"), 0, bad)])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("a"), 3, bad)])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("nobody"), 1, bad)])).toEqual(["conflict"]);
      expect(await storage.load(id("a"))).toEqual(before);
      expect(await storage.load(id("nobody"))).toBeUndefined();
      if (storage.capabilities.headers) {
        expect((await storage.query({ id: id("a") })).items).toEqual([]);
      }
    });

    it("a conflict in a group harms no other commit of it", async () => {
      const { storage, id } = await setUp();
      await storage.commit([commitOf(id("b"), 0)]);
      const group = [
        commitOf(id("a"), 0),
        commitOf(id("b"), 0, { nonce: "late" }),
        commitOf(id("c"), 0),
        commitOf(id("d"), 4),
      ];
      expect(await storage.commit(group)).toEqual(["ok", "conflict", "ok", "conflict"]);
      expect((await storage.load(id("b")))?.map((record) => record.nonce)).toEqual(["n0"]);
      expect((await storage.load(id("c")))?.length).toBe(1);
    });

    it("an empty group is nothing to do", async () => {
      const { storage } = await setUp();
      expect(await storage.commit([])).toEqual([]);
    });

    it("of two writers at once on one revision exactly one wins", async () => {
      const { storage, lane, id } = await setUp();
      const other = await lane.reopen();
      for (let revision = 0; revision < 20; revision++) {
        const answers = await Promise.all([
          storage.commit([commitOf(id("a"), revision, { nonce: `one${revision}` })]),
          other.commit([commitOf(id("a"), revision, { nonce: `two${revision}` })]),
        ]);
        expect(answers.flat().sort()).toEqual(["conflict", "ok"]);
        const winner = answers[0]?.[0] === "ok" ? "one" : "two";
        expect((await other.load(id("a")))?.at(-1)?.nonce).toBe(`${winner}${revision}`);
      }
      expect((await storage.load(id("a")))?.map((record) => record.revision)).toEqual(
        [...Array(20).keys()].map((n) => n + 1),
      );
    });

    it("of fifty writers on twenty instances each revision has one winner", async () => {
      const { storage, lane, id } = await setUp();
      const writers = [storage, await lane.reopen()];
      const wins = new Map<string, number>();
      await Promise.all(
        Array.from({ length: 50 }, async (_, writer) => {
          const group = Array.from({ length: 20 }, (_, n) => commitOf(id(`i${n}`), 0, { nonce: `w${writer}` }));
          const answers = await (writers[writer % 2] as Storage).commit(group);
          answers.forEach((answer, n) => {
            if (answer === "ok") wins.set(`i${n}`, (wins.get(`i${n}`) ?? 0) + 1);
          });
        }),
      );
      expect([...wins.values()]).toEqual(Array(20).fill(1));
      expect(wins.size).toBe(20);
    });

    it("the next run goes on from the last revision, and load answers it alone", async () => {
      const { storage, id } = await setUp();
      await storage.commit([commitOf(id("a"), 0)]);
      await storage.commit([commitOf(id("a"), 1)]);
      expect(await storage.commit([commitOf(id("a"), 0, { run: 2 })])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("a"), 2, { run: 2 })])).toEqual(["ok"]);
      // The run before cannot go on: its next revision is taken.
      expect(await storage.commit([commitOf(id("a"), 2, { run: 1 })])).toEqual(["conflict"]);
      expect((await storage.load(id("a")))?.map(({ run, revision }) => [run, revision])).toEqual([[2, 3]]);
      expect((await storage.load(id("a"), 1))?.map((record) => record.revision)).toEqual([3]);
    });

    it("holds a payload of the largest size", async () => {
      const { storage, id } = await setUp();
      const text = JSON.stringify("ü".repeat(899_000));
      expect(await storage.commit([commitOf(id("big"), 0, { payloads: { input: text } })])).toEqual(["ok"]);
      const [payloads] = await storage.payloads(id("big"), [1]);
      expect(payloads?.input === text).toBe(true);
    });

    it("removes what is at or below a revision, and keeps the fence of what stays", async () => {
      const { storage, id } = await setUp();
      for (let revision = 0; revision < 5; revision++) await storage.commit([commitOf(id("a"), revision)]);
      while ((await storage.remove(id("a"), 4)).more);
      expect((await storage.load(id("a")))?.map((record) => record.revision)).toEqual([5]);
      expect(await storage.commit([commitOf(id("a"), 3)])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("a"), 0)])).toEqual(["conflict"]);
      expect(await storage.commit([commitOf(id("a"), 5)])).toEqual(["ok"]);
      while ((await storage.remove(id("a"), 6)).more);
      expect(await storage.load(id("a"))).toBeUndefined();
      expect(await storage.remove(id("a"), 6)).toEqual({ more: false });
    });

    it("removes only while the record stands that is named, and not what was made anew", async () => {
      const { storage, id } = await setUp();
      for (let revision = 0; revision < 3; revision++) {
        await storage.commit([commitOf(id("a"), revision, { nonce: `old ${revision}` })]);
      }
      expect(await storage.remove(id("a"), 2, { revision: 3, nonce: "another" })).toEqual({ more: false });
      expect(await storage.load(id("a"))).toHaveLength(3);
      const tombstone = { revision: 3, nonce: "old 2" };
      while ((await storage.remove(id("a"), 2, tombstone)).more);
      expect((await storage.load(id("a")))?.map((record) => record.revision)).toEqual([3]);
      while ((await storage.remove(id("a"), 3, tombstone)).more);
      expect(await storage.load(id("a"))).toBeUndefined();
      for (let revision = 0; revision < 4; revision++) await storage.commit([commitOf(id("a"), revision)]);
      expect(await storage.remove(id("a"), 3, tombstone)).toEqual({ more: false });
      expect(await storage.load(id("a"))).toHaveLength(4);
    });

    headerConformance(setUp);
  });
}
