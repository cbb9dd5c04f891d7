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
import { severalIndexes, severalStorages } from "./several-databases.ts";

export type { InstanceIndex, Overdue, OverdueRequest } from "@hephaestus/sqlite";
export { type D1, d1Port } from "./d1-port.ts";

export interface D1StorageOptions extends SqlStorageOptions {}

/**
 * A database, or several that share the load by hash of the instance's id. How many they are, and their order, stays:
 * it says where instances are.
 */
export type Databases = D1 | readonly D1[];

function isSeveral(databases: Databases): databases is readonly D1[] {
  return Array.isArray(databases);
}

/**
 * A Storage in a D1 database, or in several, in tables that the files in this package's `migrations` folder make, or `migrate`.
 *
 * @throws HephaestusError (each method) STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT
 * @example
 * const hephaestus = createHephaestus({ workflows: [orderFlow], storage: d1Storage(env.DB) });
 */
export function d1Storage(databases: Databases, options: D1StorageOptions = {}): Storage {
  if (isSeveral(databases)) return severalStorages(databases.map((one) => d1Storage(one, options)));
  return sqlStorage(d1Port(databases), options);
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
export function d1Index(databases: Databases, options: D1StorageOptions = {}): InstanceIndex {
  if (isSeveral(databases)) return severalIndexes(databases.map((one) => d1Index(one, options)));
  return instanceIndex(d1Port(databases), options);
}

/**
 * Brings a database up to date: for tests and small users. A deployment rather names this package's `migrations`
 * folder as `migrations_dir` and runs `wrangler d1 migrations apply`; both may be used on one database.
 *
 * @throws HephaestusError STORAGE_UNAVAILABLE, also for a database of a newer version
 * @example
 * await migrate(env.DB);
 */
export async function migrate(databases: Databases, options: MigrateOptions = {}): Promise<void> {
  for (const one of isSeveral(databases) ? databases : [databases]) await migratePort(d1Port(one), options);
}
