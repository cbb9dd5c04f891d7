import { type Commit, type CommitResult, mergeHeader } from "@hephaestus/core";
import { unwrap } from "idb";
import type { Transaction } from "./connection.ts";
import { allOf, type JournalRow, type StoreName } from "./schema.ts";

/**
 * Payloads of at most so many UTF-16 units in all lie in their record, longer ones in a store of their own. A second
 * `add` makes a commit about a fifth slower, and most results are short; but `load` reads whole records, and must
 * not read what nobody asked for.
 */
const INLINE_LENGTH_MAX = 1_024;

/** A transaction waits for every other that writes to one of its stores, so it names no more than it needs. */
export function storesOf(commits: readonly Commit[]): StoreName[] {
  const stores: StoreName[] = ["journal"];
  if (commits.some(liesApart)) stores.push("payloads");
  if (commits.some((commit) => commit.header)) stores.push("headers");
  return stores;
}

function liesApart({ payloads }: Commit): boolean {
  let length = 0;
  for (const text of Object.values(payloads ?? {})) length += text.length;
  return length > INLINE_LENGTH_MAX;
}

/**
 * Everything is asked for at once, since waiting for an answer costs more than a request: the check of the
 * predecessor, and the `add`s that the winner needs. A loser takes back what it added, in the same transaction. That
 * is also why the transaction is committed only after the answers: committed before, it could not take anything
 * back, and Chromium would abort the whole group for one occupied key even where `preventDefault` was called.
 */
export async function writeCommit(transaction: Transaction<"readwrite">, commit: Commit): Promise<CommitResult> {
  const { id, run, expected, nonce, changes, header } = commit;
  const apart = liesApart(commit) ? commit.payloads : undefined;
  const stores = unwrap(transaction);
  const journal = stores.objectStore("journal");
  const key = [id, expected + 1];
  const record: JournalRow = {
    revision: expected + 1,
    run,
    nonce,
    changes,
    ...(commit.payloads && !apart ? { payloads: commit.payloads } : {}),
  };
  // Asked first, so that it does not see the record itself.
  const predecessor = transaction
    .objectStore("journal")
    .getKey(expected === 0 ? allOf(id) : IDBKeyRange.only([id, expected]));
  const [before, added, addedApart, row] = await Promise.all([
    predecessor,
    addIfFree(journal, record, key),
    apart && addIfFree(stores.objectStore("payloads"), apart, key),
    // A free id has no row either: rows go with the last records.
    header && expected > 0 && transaction.objectStore("headers").get([id, run]),
  ]);
  // A start needs a free id, not only a free first key: earlier records may have been removed.
  const follows = expected === 0 ? before === undefined : before !== undefined;
  if (added && follows) {
    if (header) stores.objectStore("headers").put(row ? mergeHeader(row, header) : header);
    return "ok";
  }
  if (added) journal.delete(key);
  if (addedApart) stores.objectStore("payloads").delete(key);
  return "conflict";
}

function addIfFree(store: IDBObjectStore, value: unknown, key: IDBValidKey): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = store.add(value, key);
    request.onsuccess = () => resolve(true);
    request.onerror = (event) => {
      if (request.error?.name !== "ConstraintError") return reject(request.error);
      // The first keeps the transaction, the second keeps it from idb, for which any error ends it.
      event.preventDefault();
      event.stopPropagation();
      resolve(false);
    };
  });
}
