import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Commit, CommitResult, Storage } from "@hephaestus/core";
import { storageConformance } from "@hephaestus/core/testing/conformance";
import { describe, expect, it } from "vitest";
import { nameInJournal, ObjectJournal } from "./journal.ts";
import { Turn } from "./turn.ts";

/** Each instance has an object, so that a writer of many instances is one of many objects' journals. */
function journals(prefix: string): Storage {
  const inObject = <T>(id: string, use: (journal: Storage) => T | Promise<T>): Promise<T> =>
    runInDurableObject(env.INSTANCES.getByName(prefix + id), (_, { storage }) => use(new ObjectJournal(storage.kv)));
  return {
    capabilities: { headers: false, where: false },
    load: (id, after) => inObject(id, (journal) => journal.load(id, after)),
    payloads: (id, revisions) => inObject(id, (journal) => journal.payloads(id, revisions)),
    remove: (id, through, standing) => inObject(id, (journal) => journal.remove(id, through, standing)),
    async commit(commits: readonly Commit[]): Promise<CommitResult[]> {
      const results = await Promise.all(
        commits.map((commit) => inObject(commit.id, (journal) => journal.commit([commit]))),
      );
      return results.flat();
    },
    due: () => Promise.reject(new Error("an object has no rows")),
    query: () => Promise.reject(new Error("an object has no rows")),
  };
}

let places = 0;
storageConformance("a Durable Object's own storage", async () => {
  const prefix = `place${++places}:`;
  return { open: async () => journals(prefix), reopen: async () => journals(prefix) };
});

it("knows the name of its object where the platform does not: from the first record of a run, and from a tombstone", async () => {
  await runInDurableObject(env.INSTANCES.getByName("named"), async (_, { storage }) => {
    const { kv } = storage;
    expect(nameInJournal(kv)).toBeUndefined();
    const journal = new ObjectJournal(kv, "named");
    const run = { format: 1, run: 1, workflow: "w", version: 1, fingerprint: "f" } as const;
    await journal.commit([{ id: "named", run: 1, expected: 0, nonce: "a", changes: { at: 1, run } }]);
    await journal.commit([{ id: "named", run: 1, expected: 1, nonce: "b", changes: { at: 2, status: "completed" } }]);
    expect(nameInJournal(kv)).toBe("named");
    await journal.commit([{ id: "named", run: 1, expected: 2, nonce: "c", changes: { at: 3, status: "deleted" } }]);
    await journal.remove("named", 2);
    expect(nameInJournal(kv)).toBe("named");
  });
});

describe("commits of one turn", () => {
  const commitOf = (expected: number, more: Partial<Commit> = {}): Commit => ({
    id: "turn",
    run: 1,
    expected,
    nonce: `n${expected + 1}`,
    changes: { at: expected + 1, ...(expected === 0 ? { run: RUN } : {}) },
    payloads: { [`result:s${expected + 1}`]: String(expected + 1) },
    ...more,
  });
  const revisions = async (journal: Storage, after?: number) =>
    (await journal.load("turn", after))?.map((record) => [record.revision, record.nonce]);
  /** A journal in an object, and how it looks to the next object. */
  const inTurn = (name: string, use: (journal: ObjectJournal, fresh: () => ObjectJournal) => Promise<void>) =>
    runInDurableObject(env.INSTANCES.getByName(name), async (_, context) => {
      const { kv } = context.storage;
      const turn = new Turn(context, (all) => journal.write(all));
      const journal = new ObjectJournal(kv, name, turn);
      await use(journal, () => new ObjectJournal(kv, name));
    });
  const rowsOf = (name: string) =>
    runInDurableObject(env.INSTANCES.getByName(name), (_, { storage }) => [...storage.kv.list()].map(([key]) => key));

  it("are the first one's row, and one row for all others at its end", async () => {
    await inTurn("turn1", async (journal) => {
      expect([0, 1, 2, 3].flatMap((expected) => journal.commit([commitOf(expected)]))).toEqual(Array(4).fill("ok"));
      expect(journal.commit([commitOf(2)])).toEqual(["conflict"]);
    });
    expect(await rowsOf("turn1")).toEqual(["journal:000000000001", "journal:000000000004"]);
  });

  it("are loaded one by one, from any of them on, each with its own payloads, also before they are written", async () => {
    await inTurn("turn2", async (journal, fresh) => {
      for (let expected = 0; expected < 6; expected++) journal.commit([commitOf(expected)]);
      for (const one of [journal, fresh()]) {
        expect(await revisions(one)).toEqual([1, 2, 3, 4, 5, 6].map((revision) => [revision, `n${revision}`]));
        expect(await revisions(one, 3)).toEqual([4, 5, 6].map((revision) => [revision, `n${revision}`]));
        expect(await revisions(one, 6)).toEqual([]);
        expect(await one.payloads("turn", [5, 1, 3, 7])).toEqual([
          { "result:s5": "5" },
          { "result:s1": "1" },
          { "result:s3": "3" },
          {},
        ]);
      }
      expect(fresh().commit([commitOf(5)])).toEqual(["conflict"]);
      expect(fresh().commit([commitOf(6)])).toEqual(["ok"]);
    });
  });

  it("that may be lost are stored with the next one, or when all is written", async () => {
    await inTurn("turn6", async (journal, fresh) => {
      journal.commit([commitOf(0)]);
      await new Promise((resolve) => setTimeout(resolve));
      for (const expected of [1, 2]) expect(journal.commitLazily(commitOf(expected))).toBe("ok");
      // The end of a turn is not enough.
      await new Promise((resolve) => setTimeout(resolve));
      expect(await revisions(fresh())).toHaveLength(1);
      journal.commit([commitOf(3)]);
      expect(await revisions(fresh())).toHaveLength(4);
      expect(journal.commitLazily(commitOf(4))).toBe("ok");
      expect(await revisions(journal)).toHaveLength(5);
    });
    expect(await rowsOf("turn6")).toEqual([1, 4, 5].map((revision) => `journal:00000000000${revision}`));
  });

  it("of two runs never share a row, so that the one before can be read and removed", async () => {
    await inTurn("turn3", async (journal, fresh) => {
      for (let expected = 0; expected < 3; expected++) journal.commit([commitOf(expected)]);
      const second = { at: 4, run: { ...RUN, run: 2 } };
      journal.commit([commitOf(3, { run: 2, changes: second })]);
      journal.commit([commitOf(4, { run: 2 })]);
      expect(journal.recordsBefore(4).map((record) => record.revision)).toEqual([1, 2, 3]);
      expect(await revisions(fresh())).toEqual([
        [4, "n4"],
        [5, "n5"],
      ]);
      await journal.remove("turn", 3);
      expect(await revisions(fresh())).toHaveLength(2);
      journal.commit([commitOf(5, { run: 2, changes: { at: 6, status: "deleted" } })]);
      await journal.remove("turn", 5);
      expect(await revisions(fresh())).toEqual([[6, "n6"]]);
    });
    expect(await rowsOf("turn3")).toEqual(["journal:000000000006"]);
  });

  it("that are large make several rows", async () => {
    const large = { "result:x": JSON.stringify("x".repeat(100_000)) };
    await inTurn("turn4", async (journal) => {
      for (let expected = 0; expected < 6; expected++) journal.commit([commitOf(expected, { payloads: large })]);
      const tooLarge = { "result:x": JSON.stringify("x".repeat(2_000_000)) };
      expect(() => journal.commit([commitOf(6, { payloads: tooLarge })])).toThrow(
        expect.objectContaining({ code: "LIMIT_EXCEEDED" }),
      );
      expect(journal.commit([commitOf(6)])).toEqual(["ok"]);
    });
    expect(await rowsOf("turn4")).toEqual([1, 3, 5, 7].map((revision) => `journal:00000000000${revision}`));
  });

  it("that cannot be written are nobody's: the object is gone, and what it has written in that turn", async () => {
    const doomed = runInDurableObject(env.INSTANCES.getByName("turn5"), async (_, context) => {
      const { kv } = context.storage;
      const full = { ...bound(kv), put: (key: string, value: unknown) => putUntilFull(kv, key, value) };
      const turn = new Turn(context, (all) => journal.write(all));
      const journal = new ObjectJournal(full, "turn5", turn);
      for (let expected = 0; expected < 3; expected++) journal.commit([commitOf(expected)]);
      await new Promise(() => {});
    });
    await expect(doomed).rejects.toThrow(/could not be stored/);
    expect(await rowsOf("turn5")).toEqual([]);
  });
});

const RUN = { format: 1, run: 1, workflow: "w", version: 1, fingerprint: "f" } as const;

const bound = (kv: SyncKvStorage) => ({
  get: kv.get.bind(kv),
  list: kv.list.bind(kv),
  delete: kv.delete.bind(kv),
});

function putUntilFull(kv: SyncKvStorage, key: string, value: unknown): void {
  if (key !== "journal:000000000001") throw new Error("the disk is full");
  kv.put(key, value);
}
