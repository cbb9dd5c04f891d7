/** What there is to know about the page itself. */
interface PageState {
  readonly online: boolean;
  /** Newer code waits, or has already changed the database: loads the page again, with it. */
  readonly reload?: () => void;
}

/** The page as something that is kept: whether there is a network, and whether there is a newer one. */
export interface KeptPage {
  state(): PageState;
  subscribe(changed: () => void): () => void;
  /** Newer code, in another tab, has changed the database: this page can do nothing any more. */
  outdated(): void;
}

export function keepPage(): KeptPage {
  const listeners = new Set<() => void>();
  let state: PageState = { online: navigator.onLine };

  function change(changed: Partial<PageState>): void {
    state = { ...state, ...changed };
    for (const listener of listeners) listener();
  }

  addEventListener("online", () => change({ online: true }));
  addEventListener("offline", () => change({ online: false }));
  // While it is developed the page is what was just saved.
  if (import.meta.env.PROD && "serviceWorker" in navigator) void register((reload) => change({ reload }));

  return {
    state: () => state,
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    outdated: () => change({ reload: () => location.reload() }),
  };
}

/** A newer worker waits until the user agrees: another tab may be in the middle of something. */
async function register(newer: (reload: () => void) => void): Promise<void> {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register("/service-worker.js").catch(() => undefined);
  const offer = (worker: ServiceWorker | null | undefined) => {
    // The first one of all has nothing to replace.
    if (worker?.state !== "installed" || !serviceWorker.controller) return;
    newer(() => {
      serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      worker.postMessage("take over");
    });
  };
  offer(registration?.waiting);
  registration?.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => offer(worker));
  });
}
