import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Commit, CommitResult, Storage } from "@hephaestus/core";
import { storageConformance } from "@hephaestus/core/testing/conformance";
import { objectJournal } from "./journal.ts";

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
