import type { Header, Payloads, Revision, StoredRecord } from "@hephaestus/core";
import type { DBSchema, IDBPDatabase, IDBPObjectStore, IDBPTransaction, StoreNames } from "idb";

/** A record as it lies in the journal. Its payloads are with it when they are short. */
export interface JournalRow extends StoredRecord {
  readonly payloads?: Payloads;
  /** In the first record of a transaction that was sent by a writer who looked at nothing. */
  readonly ticket?: Ticket;
}

/** Who wrote, and its how manieth transaction it was. No two rows have the same: see `standing.ts`. */
export type Ticket = readonly [writer: number, transaction: number];

/** What lies in the database, in the newest version of the schema. */
export interface Schema extends DBSchema {
  /**
   * Under (id, revision). That the key is free is the fence. Where only later records are left, a placeholder stands
   * at revision 1, so that this key is taken as long as the instance has any. Under two numbers lie the tickets that
   * were taken from writers; no range of an id reaches them.
   */
  journal: {
    key: [id: string, revision: Revision];
    value: JournalRow;
    indexes: { ticket: [writer: number, transaction: number] };
  };
  /** The payloads that are too long to lie in the journal, under the key of their record. */
  payloads: { key: [id: string, revision: Revision]; value: Payloads };
  headers: {
    key: [id: string, run: number];
    value: Header;
    indexes: {
      /** The order that pages go by. */
      created: [createdAt: number, id: string, run: number];
      /** Only rows with a `wakeAt` are in it. The definition comes first, so that work without code costs nothing. */
      due: [workflow: string, version: number, fingerprint: string, wakeAt: number];
    };
  };
  /** The numbers of the writers that may send commits without looking, and what they had sent when they last removed. */
  writers: { key: number; value: number };
}

/** In the place of a first record that was removed while later ones stayed: of no run. */
export const PLACEHOLDER: JournalRow = { revision: 1, run: 0, nonce: "", changes: { at: 0 } };

export type StoreName = StoreNames<Schema>;
export type Upgrade = (
  database: IDBPDatabase<Schema>,
  transaction: IDBPTransaction<Schema, StoreName[], "versionchange">,
) => void;

/**
 * One function per version of the schema, oldest first; a database goes through those that it has not seen. Never
 * change one that was released: add the next.
 */
export const UPGRADES: readonly Upgrade[] = [
  (database) => {
    database.createObjectStore("journal");
    database.createObjectStore("payloads");
    const headers = database.createObjectStore("headers", { keyPath: ["id", "run"] });
    headers.createIndex("created", ["createdAt", "id", "run"]);
    headers.createIndex("due", ["workflow", "version", "fingerprint", "wakeAt"]);
  },
  (database, transaction) => {
    database.createObjectStore("writers", { autoIncrement: true });
    const journal = transaction.objectStore("journal");
    journal.createIndex("ticket", "ticket", { unique: true });
    // One that fails aborts the upgrade by itself.
    addPlaceholders(journal).catch(() => {});
  },
];

async function addPlaceholders(
  journal: IDBPObjectStore<Schema, StoreName[], "journal", "versionchange">,
): Promise<void> {
  for (let cursor = await journal.openKeyCursor(); cursor; ) {
    const [id, first] = cursor.key;
    if (first > 1) await journal.put(PLACEHOLDER, [id, 1]);
    // To the next id: all keys of this one are below.
    cursor = await cursor.continue([id, Number.POSITIVE_INFINITY]);
  }
}

/** All keys that begin with this id: an array is greater than any number. */
export function allOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}
