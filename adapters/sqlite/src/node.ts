import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Storage } from "@hephaestus/core";
import { UPDATED } from "./declared-index.ts";
import { storageError } from "./errors.ts";
import { declaredIndexes, pendingMigrations, readMigrations } from "./migrations.ts";
import { holdOwnerLock, ownerIsDead } from "./owner-lock.ts";
import type { Row, SqlPort, Statement } from "./port.ts";
import { type SqlStorageOptions, sqlStorage } from "./storage.ts";

export interface SqliteStorageOptions extends SqlStorageOptions {
  /**
   * When a commit is on the disk. NORMAL, the default: soon; the process may die at any time without loss, while a
   * power cut may lose the last moments, never half a commit. A commit with `durability: "strict"`, and all before it, is
   * there before it is answered. FULL: every commit is.
   */
  readonly synchronous?: "NORMAL" | "FULL";
  /** As in SqlStorageOptions, and made when the file is opened; `["updated"]` unless said otherwise. */
  readonly indexes?: readonly string[];
  /** How long to wait for another process's transaction, in milliseconds; 5,000 unless said otherwise. */
  readonly busyTimeoutMs?: number;
}

/** Prepared statements kept; their texts differ only by filter and by size of a group. */
const STATEMENT_CACHE_SIZE = 64;

/** How long to wait before a file that others are just making is tried again. */
const BUSY_RETRY_MS = 10;

/** Pages of the write-ahead log after which it is written back: pages that many commits change are written back once. */
const CHECKPOINT_PAGES = 4_000;

/** Pages that are kept in memory, in KB: the inner ones of the indexes of a million instances. */
const CACHE_KB = 16_000;

/** SQLite's primary result codes, by the name that `storageError` takes. */
const RESULT_CODES: Readonly<Record<number, string>> = {
  1: "SQLITE_ERROR",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
  24: "SQLITE_FORMAT",
  26: "SQLITE_NOTADB",
};

/**
 * A Storage in a file of this machine, with Node's own SQLite: what makes the local runner durable without a server.
 * Several processes may open the file at once. It is brought up to date when it is opened.
 *
 * @param fileName a path, or ":memory:" for a database that goes with the Storage
 * @throws HephaestusError STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT
 * @example
 * const hephaestus = createHephaestus({ workflows: [orderFlow], storage: sqliteStorage("orders.db") });
 */
export function sqliteStorage(
  fileName: string,
  { synchronous = "NORMAL", busyTimeoutMs = 5_000, indexes = [UPDATED], ...options }: SqliteStorageOptions = {},
): Storage & { close(): Promise<void> } {
  const database = guarded(() => new DatabaseSync(fileName, { timeout: busyTimeoutMs }));
  const run = runner(database);
  try {
    guarded(() => whenFree(busyTimeoutMs, () => database.exec("PRAGMA journal_mode = WAL")));
    guarded(() =>
      database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
PRAGMA cache_size = -${CACHE_KB}`),
    );
    guarded(() =>
      transactions(database)(() =>
        run([...pendingMigrations(run(readMigrations)[1] ?? []), ...declaredIndexes({ indexes })]),
      ),
    );
  } catch (error) {
    database.close();
    throw error;
  }
  const storage = sqlStorage(nodePort(database), { ...options, indexes });
  // Nobody else can open one that is in memory.
  const location = database.location();
  return {
    ...storage,
    ...(location === null ? {} : ownerLocks(location)),
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function ownerLocks(location: string): Required<Pick<Storage, "holdOwner" | "ownerIsDead">> {
  return {
    holdOwner: (owner) => holdOwnerLock(location, owner, Date.now()),
    ownerIsDead: async (owner) => ownerIsDead(location, owner),
  };
}

/**
 * The port over a connection that the caller opened, set up and migrated.
 *
 * @example
 * const index = instanceIndex(nodePort(database));
 */
export function nodePort(database: DatabaseSync): SqlPort {
  const run = runner(database);
  const transact = transactions(database);
  return {
    statementsAreCheap: true,
    async batch(statements, { durability } = {}) {
      return guarded(() => {
        if (durability === "strict") return strictly(() => transact(() => run(statements)));
        // One statement is a transaction by itself.
        return statements.length === 1 ? run(statements) : transact(() => run(statements));
      });
    },
  };

  /** In the log, a commit reaches the disk with all that stand before it. */
  function strictly<T>(work: () => T): T {
    const before = database.prepare("PRAGMA synchronous").get()?.synchronous;
    database.exec("PRAGMA synchronous = FULL");
    try {
      return work();
    } finally {
      database.exec(`PRAGMA synchronous = ${before}`);
    }
  }
}

function runner(database: DatabaseSync) {
  const cache = new Map<string, StatementSync>();
  const prepare = (sql: string) => {
    const known = cache.get(sql);
    const statement = known ?? database.prepare(sql);
    // Taken out and put back, it is the newest of the map, and the oldest is its first.
    cache.delete(sql);
    cache.set(sql, statement);
    if (cache.size > STATEMENT_CACHE_SIZE) cache.delete(cache.keys().next().value ?? "");
    return statement;
  };
  return (statements: readonly Statement[]) =>
    statements.map(({ sql, params }) => prepare(sql).all(...params) as unknown as readonly Row[]);
}

function transactions(database: DatabaseSync) {
  // The write lock at once: a transaction that read first could not get it once another has written.
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  return <T>(work: () => T): T => {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      // A full disk and the like have rolled it back already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}

/**
 * Does at last what SQLite refuses at once while another process does the same, whatever the timeout of the connection
 * (https://sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode): two processes that make one file.
 */
function whenFree(timeoutMs: number, work: () => void): void {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (RESULT_CODES[resultCode(error) & 0xff] !== "SQLITE_BUSY" || Date.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
    }
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(RESULT_CODES[resultCode(error) & 0xff], error);
  }
}

function resultCode(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0;
}
