import { type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from "idb";
import type { IndexedDbOptions } from "./options.ts";
import { onSleep } from "./page-life.ts";
import { type Schema, type StoreName, UPGRADES, type Upgrade } from "./schema.ts";
import { isLost, storageError, unavailable } from "./storage-error.ts";

/** How long an upgrade waits for tabs with older code to let go of the database. */
export const BLOCKED_WAIT_MS = 3_000;
/** How often a transaction is begun before the caller is told. */
export const TRIES_MAX = 3;

export type Transaction<Mode extends "readonly" | "readwrite"> = IDBPTransaction<Schema, StoreName[], Mode>;

/**
 * A database that opens at the first use, and again after the browser closed it: for an upgrade or a deletion by
 * another tab, because the user cleared the site's data, or because its server died.
 */
export interface Connection {
  /** Runs in one transaction; again, from the start, when the connection was lost. */
  read<T>(stores: readonly StoreName[], use: (transaction: Transaction<"readonly">) => Promise<T>): Promise<T>;
  /** All or nothing. Tried again only while nothing was sent: after that the outcome is unknown, and it throws. */
  write<T>(
    stores: readonly StoreName[],
    use: (transaction: Transaction<"readwrite">) => Promise<T>,
    durability?: IDBTransactionDurability,
  ): Promise<T>;
  /** For good; what runs ends as it would have. */
  close(): void;
}

/** @throws HephaestusError STORAGE_UNAVAILABLE, STORAGE_FULL or STORAGE_CORRUPT, from every method of what it returns */
export function connect(
  name: string,
  { onOutdated = () => {} }: Pick<IndexedDbOptions, "onOutdated"> = {},
  upgrades: readonly Upgrade[] = UPGRADES,
): Connection {
  let current: Promise<IDBPDatabase<Schema>> | undefined;
  let closed = false;
  let sleep: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  const running = new Set<Running>();

  // A transaction in a page that sleeps ends when the page does, and every other one of the origin waits for it.
  const stopListening = onSleep(
    () => {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      sleep = { over, end };
      for (const { transaction } of running) abort(transaction);
      letGo();
    },
    () => {
      sleep?.end();
      sleep = undefined;
    },
  );

  function letGo(): void {
    current?.then((opened) => opened.close()).catch(() => {});
    current = undefined;
  }

  function forget(database: typeof current): void {
    if (current === database) current = undefined;
  }

  /** Whoever waits for the end of a transaction that is committed by then would hear nothing any more. */
  function terminated(closed: IDBDatabase): void {
    for (const one of running) if (one.transaction.db === closed) one.fail(new DOMException("closed", "AbortError"));
  }

  function database(): Promise<IDBPDatabase<Schema>> {
    if (closed) throw unavailable("closed", "this storage was closed");
    if (current === undefined) {
      const lost = () => forget(opening);
      const opening = openDatabase(name, upgrades, { lost, terminated, onOutdated });
      opening.catch(() => forget(opening));
      current = opening;
    }
    return current;
  }

  async function transact<T, Mode extends "readonly" | "readwrite">(
    stores: readonly StoreName[],
    mode: Mode,
    use: (transaction: Transaction<Mode>) => Promise<T>,
    durability: IDBTransactionDurability = "default",
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      let opening: typeof current;
      let begun = false;
      try {
        let opened: IDBPDatabase<Schema>;
        do {
          if (sleep) await sleep.over;
          opening = database();
          opened = await opening;
        } while (sleep);
        const transaction = opened.transaction([...stores], mode, { durability });
        begun = true;
        const ending = endOf(unwrap(transaction));
        running.add(ending);
        return await finish(transaction, ending, use).finally(() => running.delete(ending));
      } catch (error) {
        const lost = isLost(error);
        if (lost) {
          forget(opening);
          opening?.then((opened) => opened.close()).catch(() => {});
        }
        if (!lost || tries === TRIES_MAX || (begun && mode === "readwrite")) throw storageError(error);
      }
    }
  }

  return {
    read: (stores, use) => transact(stores, "readonly", use),
    write: (stores, use, durability) => transact(stores, "readwrite", use, durability),
    close() {
      closed = true;
      stopListening();
      sleep?.end();
      letGo();
    },
  };
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already, or will by itself.
  }
}

async function finish<T, Mode extends "readonly" | "readwrite">(
  transaction: Transaction<Mode>,
  { transaction: raw, ended }: Running,
  use: (transaction: Transaction<Mode>) => Promise<T>,
): Promise<T> {
  // Whoever waits for it hears of its failure; nobody else has to.
  ended.catch(() => {});
  transaction.done.catch(() => {});
  try {
    const value = await use(transaction);
    if (raw.mode === "readwrite") {
      raw.commit();
      await ended;
    }
    return value;
  } catch (error) {
    abort(raw);
    await ended.catch(() => {});
    throw raw.error ?? error;
  }
}

/** A transaction until its end. */
interface Running {
  readonly transaction: IDBTransaction;
  readonly ended: Promise<void>;
  /** Ends it for those who wait: nobody knows what became of it. */
  fail(error: unknown): void;
}

/** `done` of idb ends at the first request that fails, when nobody knows yet what of. */
function endOf(transaction: IDBTransaction): Running {
  let fail: Running["fail"] = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error ?? new DOMException("aborted", "AbortError")));
  });
  return { transaction, ended, fail };
}

interface OpenEvents {
  /** It must not be used again. */
  readonly lost: () => void;
  /** The browser has closed it, with all that ran on it. */
  readonly terminated: (database: IDBDatabase) => void;
  readonly onOutdated: () => void;
}

function openDatabase(
  name: string,
  upgrades: readonly Upgrade[],
  { lost, terminated, onOutdated }: OpenEvents,
): Promise<IDBPDatabase<Schema>> {
  return new Promise((resolve, reject) => {
    let patience: ReturnType<typeof setTimeout> | undefined;
    let abandoned = false;
    openDB<Schema>(name, upgrades.length, {
      upgrade(database, oldVersion, _newVersion, transaction) {
        for (const upgrade of upgrades.slice(oldVersion)) upgrade(database, transaction);
      },
      blocked() {
        patience = setTimeout(() => {
          abandoned = true;
          reject(unavailable("blocked", "a tab with older code keeps the database from being upgraded: close it"));
        }, BLOCKED_WAIT_MS);
      },
      blocking(_currentVersion, blockedVersion, event) {
        lost();
        // Waits for the transactions that run, and lets no new ones begin.
        (event.target as IDBDatabase).close();
        // Without a version it is only being deleted.
        if (blockedVersion !== null) onOutdated();
      },
      terminated: lost,
    }).then(
      (database) => {
        clearTimeout(patience);
        if (abandoned) database.close();
        const raw = unwrap(database);
        raw.addEventListener("close", () => terminated(raw));
        resolve(database);
      },
      (error: unknown) => {
        clearTimeout(patience);
        if ((error as { readonly name?: unknown }).name === "VersionError") onOutdated();
        reject(error);
      },
    );
  });
}
