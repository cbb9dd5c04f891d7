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
  const running = new Set<{ abort(): void }>();

  // A transaction in a page that sleeps ends when the page does, and every other one of the origin waits for it.
  const stopListening = onSleep(
    () => {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      sleep = { over, end };
      for (const transaction of running) abort(transaction);
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

  function database(): Promise<IDBPDatabase<Schema>> {
    if (closed) throw unavailable("closed", "this storage was closed");
    if (current === undefined) {
      const opening = openDatabase(name, upgrades, { lost: () => forget(opening), onOutdated });
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
        running.add(transaction);
        return await finish(transaction, use).finally(() => running.delete(transaction));
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

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already, or will by itself.
  }
}

async function finish<T, Mode extends "readonly" | "readwrite">(
  transaction: Transaction<Mode>,
  use: (transaction: Transaction<Mode>) => Promise<T>,
): Promise<T> {
  // Whoever waits for it hears of its failure; nobody else has to.
  transaction.done.catch(() => {});
  try {
    const value = await use(transaction);
    if (transaction.mode === "readwrite") {
      transaction.commit();
      await transaction.done;
    }
    return value;
  } catch (error) {
    abort(transaction);
    await transaction.done.catch(() => {});
    throw unwrap(transaction).error ?? error;
  }
}

function openDatabase(
  name: string,
  upgrades: readonly Upgrade[],
  { lost, onOutdated }: { readonly lost: () => void; readonly onOutdated: () => void },
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
