import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Commit, CommitResult, Storage } from "@hephaestus/core";
import { storageConformance } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { nameInJournal, objectJournal } from "./journal.ts";

/** Each instance has an object, so that a writer of many instances is one of many objects' journals. */
function journals(prefix: string): Storage {
  const inObject = <T>(id: string, use: (journal: Storage) => T | Promise<T>): Promise<T> =>
    runInDurableObject(env.INSTANCES.getByName(prefix + id), (_, { storage }) => use(objectJournal(storage.kv)));
  return {
    capabilities: { headers: false, where: false },
    load: (id, after) => inObject(id, (journal) => journal.load(id, after)),
    payloads: (id, revisions) => inObject(id, (journal) => journal.payloads(id, revisions)),
    remove: (id, through) => inObject(id, (journal) => journal.remove(id, through)),
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
    const journal = objectJournal(kv, "named");
    const run = { format: 1, run: 1, workflow: "w", version: 1, fingerprint: "f" } as const;
    await journal.commit([{ id: "named", run: 1, expected: 0, nonce: "a", changes: { at: 1, run } }]);
    await journal.commit([{ id: "named", run: 1, expected: 1, nonce: "b", changes: { at: 2, status: "completed" } }]);
    expect(nameInJournal(kv)).toBe("named");
    await journal.commit([{ id: "named", run: 1, expected: 2, nonce: "c", changes: { at: 3, status: "deleted" } }]);
    await journal.remove("named", 2);
    expect(nameInJournal(kv)).toBe("named");
  });
});
