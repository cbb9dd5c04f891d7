import type { Storage } from "@hephaestus/core";
import {
  type InstanceIndex,
  instanceIndex,
  type MigrateOptions,
  migrate as migratePort,
  type SqlStorageOptions,
  sqlStorage,
} from "@hephaestus/sqlite";
import { type D1, d1Port } from "./d1-port.ts";

export type { InstanceIndex, Overdue, OverdueRequest } from "@hephaestus/sqlite";
export { type D1, d1Port } from "./d1-port.ts";

export interface D1StorageOptions extends SqlStorageOptions {}

/**
 * A Storage in a D1 database, in tables that the files in this package's `migrations` folder make, or `migrate`.
 *
 * @throws HephaestusError (each method) STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT
 * @example
 * const hephaestus = createHephaestus({ workflows: [orderFlow], storage: d1Storage(env.DB) });
 */
export function d1Storage(database: D1, options: D1StorageOptions = {}): Storage {
  return sqlStorage(d1Port(database), options);
}

/**
 * The queryable index of instances whose journals live elsewhere, such as in Durable Objects: header rows only. The
 * first write of an instance costs 3 rows, with a business key 4, and later ones 2; each tag and a parent cost one more
 * once, each declared index one more.
 *
 * @throws HephaestusError (each method) STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT
 * @example
 * const index = d1Index(env.DB);
 * await index.put([header]);
 * const failed = await index.query({ status: "failed", where: { "input.orderId": 123 } });
 */
export function d1Index(database: D1, options: D1StorageOptions = {}): InstanceIndex {
  return instanceIndex(d1Port(database), options);
}

/**
 * Brings a database up to date: for tests and small users. A deployment rather names this package's `migrations`
 * folder as `migrations_dir` and runs `wrangler d1 migrations apply`; both may be used on one database.
 *
 * @throws HephaestusError STORAGE_UNAVAILABLE, also for a database of a newer version
 * @example
 * await migrate(env.DB);
 */
export async function migrate(database: D1, options: MigrateOptions = {}): Promise<void> {
  await migratePort(d1Port(database), options);
}
