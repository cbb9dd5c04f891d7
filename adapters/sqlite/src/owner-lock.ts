import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A lock that its process holds until it releases it or is gone, however it goes. */
export interface OwnerLock {
  /** False where the system let no file be locked: then only leases tell of this owner. */
  readonly held: Promise<boolean>;
  release(): void;
}

const OWNER = "-owner-";

/** The lock file of a dead owner is kept for so long; by then its leases have run out long ago. */
const DEAD_LOCK_KEPT_MS = 24 * 3_600_000;

const SQLITE_BUSY = 5;

/** A connection that nobody refers to is closed by the garbage collector, and its lock is gone. */
const heldLocks = new Set<DatabaseSync>();

/**
 * Holds the lock by which other processes of this machine know that an owner lives: an empty SQLite database beside the
 * shared one, in an exclusive transaction that never ends. The operating system drops the lock of a process that is
 * gone, however it went, and that a later process gets its number means nothing.
 *
 * @param fileName the shared database
 * @param owner a runner's id, which nobody else ever has
 * @param now milliseconds since the epoch, to tell old files by
 */
export function holdOwnerLock(fileName: string, owner: string, now: number): OwnerLock {
  removeOld(fileName, now);
  const lockName = lockNameOf(fileName, owner);
  const lock = hold(lockName);
  return {
    held: Promise.resolve(lock !== undefined),
    release() {
      if (!lock?.isOpen) return;
      heldLocks.delete(lock);
      lock.close();
      remove(lockName);
    },
  };
}

/** Whether the owner's lock is there and nobody holds it; undefined where there is none to ask. */
export function ownerIsDead(fileName: string, owner: string): boolean | undefined {
  const lockName = lockNameOf(fileName, owner);
  return existsSync(lockName) ? isFree(lockName) : undefined;
}

function lockNameOf(fileName: string, owner: string): string {
  return `${fileName}${OWNER}${encodeURIComponent(owner)}`;
}

function hold(lockName: string): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockName);
    // No journal file: nothing is ever written.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    heldLocks.add(lock);
    return lock;
  } catch {
    lock?.close();
    return undefined;
  }
}

/** Reading is shared, so that those who ask at once do not take one another for the owner. */
function isFree(lockName: string): boolean | undefined {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockName, { readOnly: true, timeout: 0 });
    lock.prepare("SELECT count(*) FROM sqlite_schema").get();
    return true;
  } catch (error) {
    const isBusy = error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
    return isBusy ? false : undefined;
  } finally {
    lock?.close();
  }
}

function removeOld(fileName: string, now: number): void {
  const prefix = basename(fileName) + OWNER;
  for (const name of namesIn(dirname(fileName))) {
    if (!name.startsWith(prefix)) continue;
    const lockName = join(dirname(fileName), name);
    const { mtimeMs = now } = statSync(lockName, { throwIfNoEntry: false }) ?? {};
    if (now - mtimeMs > DEAD_LOCK_KEPT_MS && isFree(lockName)) remove(lockName);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function remove(lockName: string): void {
  try {
    rmSync(lockName, { force: true });
  } catch {
    // It costs nothing but its name in the folder.
  }
}
