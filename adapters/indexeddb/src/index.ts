export { indexedDbStorage } from "./indexeddb-storage.ts";
export type { IndexedDbOptions } from "./options.ts";
export { holdOwnerLock, type OwnerLock } from "./owner-lock.ts";
export { type PersistentStorage, persistentStorage } from "./persistent-storage.ts";
