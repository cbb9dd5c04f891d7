import type { Header, Revision } from "@hephaestus/core";
import { unwrap } from "idb";
import { INLINE_LENGTH_MAX, lengthOf } from "./commit.ts";
import type { Transaction } from "./connection.ts";

/** Instances that are remembered; those that nothing was heard of for longest are forgotten first. */
const HEADS_MAX = 1_000;
/** Writers that one call of `remove` revokes. */
const REVOKE_BATCH = 100;

/** Where an instance stood when it was last written or read here. */
interface Head {
  readonly revision: Revision;
  /** The row of its latest run, where it is known and short. */
  readonly row?: Header | undefined;
}

/**
 * What a connection knows of the database without looking, and how it is refused where that has become wrong.
 *
 * Who commits must be sure that its predecessor is there. A predecessor that was written or read through this very
 * connection is there still, unless it was removed: records are only ever added or removed, and a database that was
 * deleted takes its connections with it. So a connection registers as a writer before it begins to remember, and each
 * transaction that it sends without looking takes the next ticket of that writer, under a unique index. Whoever
 * removes takes that ticket away from all who are registered, in the transaction that removes: what they send next
 * is aborted by the browser. They look again, and register anew.
 */
export interface Standing {
  readonly database: IDBDatabase;
  readonly writer: number;
  /** The transactions that it sent without looking, and that were committed. */
  transactions: number;
  /** One at a time: a later ticket must not be used while it is open whether an earlier one was. */
  isSending: boolean;
  readonly heads: Map<string, Head>;
  /** The instances that it removes records of just now, once for each call: nothing is learned of them. */
  readonly removing: string[];
}

export function standingOf(database: IDBDatabase, writer: number): Standing {
  return { database, writer, transactions: 0, isSending: false, heads: new Map(), removing: [] };
}

export function learnHead(standing: Standing, id: string, revision: Revision, row: Header | undefined): void {
  const { heads, removing } = standing;
  if (removing.includes(id)) return;
  // The newest stands last.
  heads.delete(id);
  heads.set(id, row && isShort(row) ? { revision, row } : { revision });
  if (heads.size > HEADS_MAX) for (const oldest of heads.keys()) return void heads.delete(oldest);
}

/** After a load: a row that is known is of the records that were read only where none has come after it. */
export function learnRevision(standing: Standing, id: string, revision: Revision): void {
  if (standing.heads.get(id)?.revision !== revision) learnHead(standing, id, revision, undefined);
}

function isShort({ input = "", results = {} }: Header): boolean {
  return input.length + lengthOf(results) <= INLINE_LENGTH_MAX;
}

/** A database that was made anew counts its writers from 1 again. */
function writerIn(transaction: Transaction<"readwrite">, standing: Standing | undefined): number | undefined {
  return standing?.database === unwrap(transaction).db ? standing.writer : undefined;
}

/**
 * Registers a new writer.
 * @param revoked what it was before: nothing will ever be sent under that number again
 */
export function register(transaction: Transaction<"readwrite">, revoked: Standing | undefined): Promise<number> {
  const writer = writerIn(transaction, revoked);
  if (writer !== undefined) {
    unwrap(transaction)
      .objectStore("journal")
      .delete(IDBKeyRange.bound([writer], [writer, []]));
  }
  return transaction.objectStore("writers").add(0);
}

/**
 * Takes the next ticket away from every writer that is registered.
 * @param own of the one that asks, which has forgotten what is removed
 */
export async function revokeWriters(
  transaction: Transaction<"readwrite">,
  own: Standing | undefined,
): Promise<{ more: boolean }> {
  const stores = unwrap(transaction);
  const writers = transaction.objectStore("writers");
  const tickets = transaction.objectStore("journal").index("ticket");
  const ownWriter = writerIn(transaction, own);
  let count = 0;
  for (let cursor = await writers.openCursor(); cursor && count < REVOKE_BATCH; cursor = await cursor.continue()) {
    const writer = cursor.key;
    const last = await tickets.openKeyCursor(IDBKeyRange.bound([writer], [writer, []]), "prev");
    const sent = Math.max(cursor.value, last?.key[1] ?? 0);
    if (writer === ownWriter) {
      // The record with its last ticket may be among those that go.
      await cursor.update(sent);
      continue;
    }
    count += 1;
    stores.objectStore("writers").delete(writer);
    stores.objectStore("journal").put({ ticket: [writer, sent + 1] }, [writer, sent + 1]);
  }
  return { more: count === REVOKE_BATCH };
}
