/** What the browser promises about this site's data. */
export interface PersistentStorage {
  /**
   * granted: only the user removes the data. denied: the browser may remove it when space is short. unsupported:
   * it cannot be asked here, as in a worker, and may remove it too.
   */
  readonly outcome: "granted" | "denied" | "unsupported";
  /** What the site has stored, about. Absent when the browser does not say. */
  readonly usageBytes?: number;
  /** What the site may store, about. Absent when the browser does not say. */
  readonly quotaBytes?: number;
}

/**
 * Asks the browser to keep this site's data when space is short, and reports what it got. Some browsers ask the
 * user, so call it when the user has just done something worth keeping. Never throws.
 *
 * @example
 * const { outcome } = await persistentStorage();
 * if (outcome !== "granted") warn("the browser may remove unfinished work when the disk is full");
 */
export async function persistentStorage(): Promise<PersistentStorage> {
  // Absent outside of secure contexts; `persist` is absent in workers too.
  const storage = (globalThis.navigator as { readonly storage?: Partial<StorageManager> } | undefined)?.storage;
  const [outcome, estimate] = await Promise.all([
    persist(storage).catch(() => "unsupported" as const),
    storage?.estimate?.().catch(() => undefined),
  ]);
  return {
    outcome,
    ...(estimate?.usage === undefined ? {} : { usageBytes: estimate.usage }),
    ...(estimate?.quota === undefined ? {} : { quotaBytes: estimate.quota }),
  };
}

async function persist(storage: Partial<StorageManager> | undefined): Promise<PersistentStorage["outcome"]> {
  // Asked first, since `persist` may bring up a question that was already answered.
  if (await storage?.persisted?.()) return "granted";
  if (storage?.persist === undefined) return "unsupported";
  return (await storage.persist()) ? "granted" : "denied";
}
