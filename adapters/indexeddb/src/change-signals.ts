import { onSleep } from "./page-life.ts";

/** Tells the other connections to a database, in this tab and in others, which instances have changed. */
export interface ChangeSignals {
  post(ids: readonly string[]): void;
  listen(listener: (id: string) => void): () => void;
  close(): void;
}

/** How long after it asked who listens a channel posts although nobody has answered yet. */
export const ANSWER_MS = 1_000;
/** How old the last answer may be before a channel asks again whether there still is anybody. */
export const AUDIENCE_MS = 10_000;

const WHO_LISTENS = "?";
const I_LISTEN = "!";

/**
 * Best effort: where the browser has no BroadcastChannel, nothing is told and nothing is heard. A message goes through
 * the browser's process and costs about a third of a small commit, so that none is sent where nobody listens.
 */
export function changeSignals(database: string, now: () => number = () => performance.now()): ChangeSignals {
  const listeners = new Set<(id: string) => void>();
  let channel: BroadcastChannel | undefined;
  let closed = false;
  let askedAt = 0;
  let isAnswered = false;
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
      channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data);
      ask(channel);
      if (listeners.size > 0) channel.postMessage(I_LISTEN);
    }
    return channel;
  }

  function ask(to: BroadcastChannel): void {
    askedAt = now();
    isAnswered = false;
    to.postMessage(WHO_LISTENS);
  }

  function hear(data: unknown): void {
    if (data === WHO_LISTENS && listeners.size > 0) channel?.postMessage(I_LISTEN);
    if (data === I_LISTEN) isAnswered = true;
    // Any script of this origin can post here, another version of this one too.
    if (!Array.isArray(data)) return;
    for (const id of data) if (typeof id === "string") for (const listener of listeners) listener(id);
  }

  /** Whoever begins to listen says so: only those who have gone must be asked for. */
  function hasAudience(to: BroadcastChannel): boolean {
    if (isAnswered && now() - askedAt > AUDIENCE_MS) ask(to);
    return isAnswered || now() - askedAt < ANSWER_MS;
  }

  return {
    post(ids) {
      if (ids.length === 0) return;
      const to = open();
      if (to && hasAudience(to)) to.postMessage(ids);
    },
    listen(listener) {
      // Each call is a subscription of its own, also of a function that listens already.
      const own = (id: string) => listener(id);
      listeners.add(own);
      if (channel && listeners.size === 1) channel.postMessage(I_LISTEN);
      else open();
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
