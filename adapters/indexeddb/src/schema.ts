import type { Header, Payloads, Revision, StoredRecord } from "@hephaestus/core";
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb";

/** A record as it lies in the journal. Its payloads are with it when they are short. */
export interface JournalRow extends StoredRecord {
  readonly payloads?: Payloads;
}

/** What lies in the database, in the newest version of the schema. */
export interface Schema extends DBSchema {
  /** Under (id, revision). That the key is free is the fence. */
  journal: { key: [id: string, revision: Revision]; value: JournalRow };
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
}

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
];

/** All keys that begin with this id: an array is greater than any number. */
export function allOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}
