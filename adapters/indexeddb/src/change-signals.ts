import { onSleep } from "./page-life.ts";

/** Tells the other connections to a database, in this tab and in others, which instances have changed. */
export interface ChangeSignals {
  post(ids: readonly string[]): void;
  listen(listener: (id: string) => void): () => void;
  close(): void;
}

/** Best effort: where the browser has no BroadcastChannel, nothing is told and nothing is heard. */
export function changeSignals(database: string): ChangeSignals {
  const listeners = new Set<(id: string) => void>();
  let channel: BroadcastChannel | undefined;
  let closed = false;
  // A message evicts a page from the back-forward cache. Whoever wakes up reads what there is anyway.
  const stopListening = onSleep(shut, () => {
    if (listeners.size > 0) open();
  });

  function shut(): void {
    channel?.close();
    channel = undefined;
  }

  function open(): BroadcastChannel | undefined {
    if (channel === undefined && !closed && typeof BroadcastChannel !== "undefined") {
      channel = new BroadcastChannel(`hephaestus:${database}`);
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        // Any script of this origin can post here, another version of this one too.
        if (!Array.isArray(data)) return;
        for (const id of data) if (typeof id === "string") for (const listener of listeners) listener(id);
      };
    }
    return channel;
  }

  return {
    post(ids) {
      if (ids.length > 0) open()?.postMessage(ids);
    },
    listen(listener) {
      open();
      // Each call is a subscription of its own, also of a function that listens already.
      const own = (id: string) => listener(id);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    close() {
      closed = true;
      stopListening();
      listeners.clear();
      shut();
    },
  };
}
