import { Draft, type Driver, toHeader } from "@hephaestus/core";
import type { InstanceIndex } from "./options.ts";

/**
 * Keeps the index's row of one instance up to date. What the index has acknowledged is remembered in memory only: a
 * fresh object sends its row once more, which changes nothing, since rows are guarded by their revision.
 */
export class IndexRefresh {
  readonly #index: InstanceIndex | undefined;
  #acknowledged = 0;
  #running: Promise<void> | undefined;

  constructor(index: InstanceIndex | undefined) {
    this.#index = index;
  }

  isBehind({ state }: Driver): boolean {
    return this.#index !== undefined && this.#acknowledged < state.revision;
  }

  /** Sends the row unless the index has it. It never fails: whoever armed the alarm asks again. */
  refresh(driver: Driver): Promise<void> {
    this.#running ??= this.#refresh(driver).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #refresh(driver: Driver): Promise<void> {
    while (this.#index && driver.state.info && this.isBehind(driver)) {
      const { state, code } = driver;
      if (code === undefined) return;
      const { revision } = state;
      // Alarms wake an instance, not the index: a `wakeAt` would cost a row of its own in it each time.
      const { wakeAt: _wakeAt, ...header } = toHeader(new Draft(state, code.graph, state.updatedAt));
      const { input } = await driver.payloads.read(state, []);
      try {
        await this.#index.put([{ ...header, revision, ...(input === undefined ? {} : { input }) }]);
        this.#acknowledged = revision;
      } catch (error) {
        console.error("hephaestus: index", error);
        return;
      }
      // What runs on is not refreshed at each step.
      if (!driver.idle) return;
    }
  }
}
