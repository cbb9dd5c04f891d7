import type { Storage } from "../runtime/storage.ts";

/** A storage as the process sees it whose end can be told: from then on nothing it asks is done or answered. */
export function mortalStorage(storage: Storage): { readonly storage: Storage; kill(): void } {
  let dead = false;
  const locks: { release(): void }[] = [];
  const nothing = () => new Promise<never>(() => {});
  // What is done is done; a process that is gone does not hear of it.
  const unlessDead = <T>(act: () => Promise<T>): Promise<T> =>
    dead ? nothing() : act().then((value) => (dead ? nothing() : value));
  const { watch, onWake, holdOwner, ownerIsDead } = storage;
  return {
    storage: {
      capabilities: storage.capabilities,
      load: (id, after) => unlessDead(() => storage.load(id, after)),
      commit(commits) {
        if (dead) return nothing();
        const answer = storage.commit(commits);
        return answer instanceof Promise ? unlessDead(() => answer) : answer;
      },
      payloads: (id, revisions) => unlessDead(() => storage.payloads(id, revisions)),
      due: (request) => unlessDead(() => storage.due(request)),
      query: (filter) => unlessDead(() => storage.query(filter)),
      remove: (...asked) => unlessDead(() => storage.remove(...asked)),
      ...(watch ? { watch: (listener) => watch.call(storage, (id) => (dead ? undefined : listener(id))) } : {}),
      ...(onWake ? { onWake: (listener) => onWake.call(storage, () => (dead ? undefined : listener())) } : {}),
      ...(holdOwner
        ? {
            holdOwner(owner) {
              const lock = holdOwner.call(storage, owner);
              locks.push(lock);
              return lock;
            },
          }
        : {}),
      ...(ownerIsDead ? { ownerIsDead: (owner) => unlessDead(() => ownerIsDead.call(storage, owner)) } : {}),
    },
    kill() {
      dead = true;
      // The platform lets go of what a process held.
      for (const lock of locks) lock.release();
    },
  };
}
