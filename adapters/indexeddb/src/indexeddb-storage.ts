import { checkFilter, type Storage } from "@hephaestus/core";
import { changeSignals } from "./change-signals.ts";
import { groupCommit } from "./commit-group.ts";
import { connect } from "./connection.ts";
import { findDue, queryHeaders } from "./headers.ts";
import { loadRecords, readPayloads, removeThrough } from "./journal.ts";
import { databaseName, type IndexedDbOptions } from "./options.ts";
import { holdOwnerLock, ownerIsDead } from "./owner-lock.ts";
import { onWake } from "./page-life.ts";
import { readGroup } from "./read-group.ts";
import { learnRevision } from "./standing.ts";

/**
 * Keeps instances in the browser: they outlive the page, are shared by the tabs and workers of the origin, and need
 * no network. Opens the database at the first use.
 *
 * @example
 * const hephaestus = createHephaestus({ workflows: [orderFlow], storage: indexedDbStorage() });
 */
export function indexedDbStorage(options: IndexedDbOptions = {}): Storage {
  const name = databaseName(options);
  const connection = connect(name, options);
  const signals = changeSignals(name);
  const read = readGroup(connection, ["journal", "payloads"]);
  const group = groupCommit(connection);

  return {
    capabilities: { headers: true, where: true },
    load: (id, after = 0) =>
      read(async (transaction) => {
        const standing = group.standingIn(transaction);
        const records = await loadRecords(transaction, id, after);
        const last = records?.at(-1);
        if (standing && last) learnRevision(standing, id, last.revision);
        return records;
      }),
    async commit(commits) {
      if (commits.length === 0) return [];
      const durability = commits.some((commit) => commit.durability === "strict") ? "strict" : options.durability;
      const results = await group.commit(commits, durability);
      signals.post(commits.filter((_, index) => results[index] === "ok").map(({ id }) => id));
      return results;
    },
    payloads: (id, revisions) => read((transaction) => readPayloads(transaction, id, revisions)),
    due: (request) => connection.read(["headers"], (transaction) => findDue(transaction, request)),
    async query(filter) {
      return queryHeaders(checkFilter(filter), (use) => connection.read(["headers"], use));
    },
    remove: (id, through, record) =>
      group.whileRemoving(id, (standing) =>
        connection.write(["journal", "payloads", "headers", "writers"], (transaction) =>
          removeThrough(transaction, id, through, record, standing),
        ),
      ),
    watch: (listener) => signals.listen(listener),
    onWake,
    holdOwner: (owner) => holdOwnerLock(owner, options),
    ownerIsDead: (owner) => ownerIsDead(name, owner),
    async close() {
      connection.close();
      signals.close();
    },
  };
}
