import type { HistoryEntry } from "@hephaestus/core";
import type { Witness } from "@hephaestus/dev-server";
import { sleep, type World } from "./world.ts";

/** How many instances are read at once. */
const READERS = 4;
const IDLE_MS = 50;

/** How an instance stands, as far as its history was read. */
interface Seen {
  readonly status: string;
  readonly steps: ReadonlyMap<string, string>;
}

/** Reads the histories of all instances that are not over, again and again, and notes at the witness what it saw. */
export interface Observer {
  watch(id: string): void;
  /** Resolves once the history of an instance says so. */
  until(id: string, holds: (seen: Seen) => boolean): Promise<void>;
  forget(id: string): void;
  stop(): Promise<void>;
}

interface Watched {
  readonly id: string;
  /** The lines of the history that were read before. */
  read: number;
  seen: Seen;
  readonly waiters: Set<{ holds: (seen: Seen) => boolean; resolve: () => void }>;
}

export function makeObserver(world: World, witness: Witness): Observer {
  const watched = new Map<string, Watched>();
  let queue: Watched[] = [];
  let stopped = false;

  async function reader(): Promise<void> {
    while (!stopped) {
      if (queue.length === 0) queue = [...watched.values()];
      const next = queue.shift();
      if (next === undefined || !watched.has(next.id)) {
        await sleep(IDLE_MS);
        continue;
      }
      tell(next, await world.call((client) => client.history(next.id)));
    }
  }

  function tell(one: Watched, history: readonly HistoryEntry[]): void {
    // Two readers may have the same instance at hand.
    if (history.length > one.read) {
      for (const entry of history.slice(one.read)) note(one.id, entry);
      one.read = history.length;
      one.seen = standing(history);
    }
    for (const waiter of one.waiters) {
      if (!waiter.holds(one.seen)) continue;
      one.waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** From here on the end of the step is acknowledged: somebody outside of the engine knows of it. */
  function note(id: string, entry: HistoryEntry): void {
    if (entry.type !== "step") return;
    const key = `${id}#1/${entry.step}`;
    if (entry.compensation === "completed") witness.note("/undone", key);
    else if (entry.compensation === undefined && ["completed", "failed"].includes(entry.status)) {
      witness.note("/acknowledged", key);
    }
  }

  const readers = Array.from({ length: READERS }, reader);
  return {
    watch(id) {
      const nothing: Seen = { status: "pending", steps: new Map() };
      watched.set(id, { id, read: 0, seen: nothing, waiters: new Set() });
    },
    until: (id, holds) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      watched.get(id)?.waiters.add({ holds, resolve });
      return promise;
    },
    forget: (id) => void watched.delete(id),
    async stop() {
      stopped = true;
      await Promise.all(readers);
    },
  };
}

function standing(history: readonly HistoryEntry[]): Seen {
  const steps = new Map<string, string>();
  let status = "pending";
  for (const entry of history) {
    if (entry.type === "step") steps.set(entry.step, entry.status);
    if (entry.type === "status") status = entry.status;
  }
  return { status, steps };
}
