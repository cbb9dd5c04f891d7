import {
  type Commit,
  type CommitResult,
  type Header,
  mergeHeader,
  type Payloads,
  type Revision,
} from "@hephaestus/core";
import { unwrap } from "idb";
import type { Transaction } from "./connection.ts";
import { allOf, type JournalRow, PLACEHOLDER, type StoreName, type Ticket } from "./schema.ts";

/**
 * Payloads of at most so many UTF-16 units in all lie in their record, longer ones in a store of their own. A second
 * `add` makes a commit about a fifth slower, and most results are short; but `load` reads whole records, and must
 * not read what nobody asked for.
 */
export const INLINE_LENGTH_MAX = 1_024;

/** A transaction waits for every other that writes to one of its stores, so it names no more than it needs. */
export function storesOf(commits: readonly Commit[]): StoreName[] {
  const stores: StoreName[] = ["journal"];
  if (commits.some(liesApart)) stores.push("payloads");
  if (commits.some((commit) => commit.header)) stores.push("headers");
  return stores;
}

function liesApart({ payloads }: Commit): boolean {
  return payloads !== undefined && lengthOf(payloads) > INLINE_LENGTH_MAX;
}

/** Its payloads, if they are too long to lie in the record. */
export function payloadsApart(commit: Commit): Payloads | undefined {
  return liesApart(commit) ? commit.payloads : undefined;
}

export function recordOf(commit: Commit, ticket?: Ticket): JournalRow {
  const { run, expected, nonce, changes, payloads } = commit;
  return {
    revision: expected + 1,
    run,
    nonce,
    changes,
    ...(payloads && !liesApart(commit) ? { payloads } : {}),
    ...(ticket ? { ticket } : {}),
  };
}

/** In UTF-16 units. */
export function lengthOf(texts: Readonly<Record<string, string>>): number {
  let length = 0;
  for (const name in texts) length += (texts[name] as string).length;
  return length;
}

/** What became of one commit. */
export interface Written {
  readonly result: CommitResult;
  /** The row that was written with it. */
  readonly row?: Header | undefined;
}

/**
 * Everything is asked for at once, since waiting for an answer costs more than a request: the check of the
 * predecessor, and the `add`s that the winner needs. A loser takes back what it added, in the same transaction. That
 * is also why the transaction is committed only after the answers: committed before, it could not take anything
 * back, and Chromium would abort the whole group for one occupied key even where `preventDefault` was called.
 */
export async function writeCommit(transaction: Transaction<"readwrite">, commit: Commit): Promise<Written> {
  const { id, run, expected, header } = commit;
  const apart = payloadsApart(commit);
  const stores = unwrap(transaction);
  const journal = stores.objectStore("journal");
  const key = [id, expected + 1];
  // Asked first, so that it does not see the record itself.
  const following = follows(transaction, id, expected);
  const [isNext, added, addedApart, before] = await Promise.all([
    following,
    addIfFree(journal, recordOf(commit), key),
    apart && addIfFree(stores.objectStore("payloads"), apart, key),
    // A free id has no row either: rows go with the last records.
    header && expected > 0 ? transaction.objectStore("headers").get([id, run]) : undefined,
  ]);
  if (added && isNext) {
    const row = header && (before ? mergeHeader(before, header) : header);
    if (row) stores.objectStore("headers").put(row);
    return { result: "ok", row };
  }
  if (added) journal.delete(key);
  if (addedApart) stores.objectStore("payloads").delete(key);
  return { result: "conflict" };
}

/** Whether the record that is expected is there; a start needs a free id, not only a free first key. */
async function follows(transaction: Transaction<"readwrite">, id: string, expected: Revision): Promise<boolean> {
  const journal = transaction.objectStore("journal");
  if (expected === 0) return (await journal.getKey(allOf(id))) === undefined;
  if (expected > 1) return (await journal.getKey([id, expected])) !== undefined;
  return ((await journal.get([id, 1]))?.run ?? PLACEHOLDER.run) !== PLACEHOLDER.run;
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
