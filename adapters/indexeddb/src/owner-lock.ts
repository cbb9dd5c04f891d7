import { databaseName, type IndexedDbOptions } from "./options.ts";
import { onSleep } from "./page-life.ts";

/** A lock that a page holds as long as it lives. */
export interface OwnerLock {
  /** Settles once the lock is held: true, or false where the browser has no locks or it was released before. */
  readonly held: Promise<boolean>;
  release(): void;
}

/**
 * Holds the lock that says that a runner lives, until it is released or the page is gone, however it goes. Other
 * tabs then need not wait for the runner's leases to run out: `storage.ownerIsDead` asks for this lock. Wait for
 * `held` before the first commit that names the owner. While the page is frozen or lies in the back-forward cache it
 * does nothing, so it holds nothing: what it drove goes on in another tab, and the journal refuses what it commits
 * when it is back.
 *
 * @param owner the runner's id, unique to this page's life
 * @param options the same as the storage's
 *
 * @example
 * const lock = holdOwnerLock(runnerId, { namespace: "orders" });
 * await lock.held;
 * // … drive instances; the browser releases the lock when the page goes …
 * lock.release();
 */
export function holdOwnerLock(owner: string, options: IndexedDbOptions = {}): OwnerLock {
  const locks = lockManager();
  if (locks === undefined) return { held: Promise.resolve(false), release() {} };
  const name = lockName(databaseName(options), owner);
  let current = holdLock(locks, name);
  const stop = onSleep(
    () => current.release(),
    () => {
      current = holdLock(locks, name);
    },
  );
  return {
    held: current.held,
    release() {
      stop();
      current.release();
    },
  };
}

function holdLock(locks: LockManager, name: string): OwnerLock {
  const ending = new AbortController();
  const { signal } = ending;
  const held = new Promise<boolean>((settle) => {
    const hold = () => {
      settle(true);
      return new Promise<void>((release) => signal.addEventListener("abort", () => release()));
    };
    // The signal takes back a request that still waits; it does nothing to a lock that is held.
    locks.request(name, { signal }, hold).catch(() => settle(false));
  });
  return { held, release: () => ending.abort() };
}

/** Whether nobody holds the owner's lock or waits for it. False where there are no locks: then only leases tell. */
export async function ownerIsDead(database: string, owner: string): Promise<boolean> {
  const name = lockName(database, owner);
  try {
    const { held = [], pending = [] } = (await lockManager()?.query()) ?? { held: [{ name }] };
    return ![...held, ...pending].some((lock) => lock.name === name);
  } catch {
    return false;
  }
}

function lockName(database: string, owner: string): string {
  return `hephaestus:${database}#${owner}`;
}

/** Undefined outside of secure contexts. */
function lockManager(): LockManager | undefined {
  return (globalThis.navigator as { readonly locks?: LockManager } | undefined)?.locks;
}
