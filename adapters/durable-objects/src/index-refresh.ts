import { type Changes, Draft, type Driver, type Header, toHeader } from "@hephaestus/core";
import type { InstanceIndex } from "./options.ts";

/**
 * Keeps the index's row of one instance up to date. What the index has acknowledged is remembered in memory only: a
 * fresh object sends its row once more, which changes nothing, since rows are guarded by their revision.
 */
export class IndexRefresh {
  readonly #index: InstanceIndex | undefined;
  /** The last revision that lists should show, and the last that the index has acknowledged. */
  #wanted = 0;
  #acknowledged = 0;
  #running: Promise<void> | undefined;

  constructor(index: InstanceIndex | undefined) {
    this.#index = index;
  }

  want(revision: number): void {
    this.#wanted = revision;
  }

  get isBehind(): boolean {
    return this.#index !== undefined && this.#acknowledged < this.#wanted;
  }

  /** Sends the row unless the index has it. It never fails: whoever armed the alarm asks again. */
  refresh(driver: Driver): Promise<void> {
    this.#running ??= this.#refresh(driver).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** A run that goes on is shown once, and not again at each of its steps. */
  async tellOfLongRun(driver: Driver): Promise<void> {
    if (this.#acknowledged === 0) await this.refresh(driver);
  }

  async #refresh(driver: Driver): Promise<void> {
    while (this.#index && this.isBehind) {
      const { id, state } = driver;
      const { revision, run } = state;
      try {
        if (state.info === undefined) await this.#index.drop(id, run);
        else {
          const header = await headerOf(driver);
          if (header === undefined) return;
          await this.#index.put([header]);
        }
        this.#acknowledged = revision;
      } catch (error) {
        console.error("hephaestus: index", id, error);
        return;
      }
      if (!driver.idle) return;
    }
  }
}

/** The row of an instance as it stands; undefined when it is parked: then the index keeps what it has. */
async function headerOf({ state, code, payloads }: Driver): Promise<Header | undefined> {
  if (code === undefined) return undefined;
  const { revision } = state;
  // Alarms wake an instance, not the index: a `wakeAt` would cost a row of its own in it each time.
  const { wakeAt: _wakeAt, ...header } = toHeader(new Draft(state, code.graph, state.updatedAt));
  const { input } = await payloads.read(state, []);
  return { ...header, revision, ...(input === undefined ? {} : { input }) };
}

/** Whether a commit changes what lists show: an event that waits in the inbox does not. */
export function isSeenInIndex({ run, status, steps }: Changes): boolean {
  return run !== undefined || status !== undefined || steps !== undefined;
}
