import {
  type Changes,
  type Code,
  Draft,
  type Driver,
  foldRecords,
  type Header,
  NO_GRAPH,
  type RunState,
  toHeader,
} from "@hephaestus/core";
import type { ObjectJournal } from "./journal.ts";
import type { InstanceIndex, Timing } from "./options.ts";

/**
 * Keeps the index's row of one instance up to date. What the index has acknowledged is remembered in memory only: a
 * fresh object sends its row once more, which changes nothing, since rows are guarded by their revision.
 */
export class IndexRefresh {
  readonly #index: InstanceIndex | undefined;
  readonly #journal: ObjectJournal;
  readonly #timing: Timing;
  readonly #store: () => void;
  /** The last revision that lists should show, and the last that the index has acknowledged. */
  #wanted = 0;
  #acknowledged = 0;
  /** The run whose row was acknowledged. */
  #acknowledgedRun = 0;
  #isToldOfLongRun = false;
  #running: Promise<void> | undefined;

  /** @param store stores what has been committed: the index never knows of more than that */
  constructor(index: InstanceIndex | undefined, journal: ObjectJournal, timing: Timing, store: () => void) {
    this.#index = index;
    this.#journal = journal;
    this.#timing = timing;
    this.#store = store;
  }

  want(revision: number): void {
    this.#wanted = revision;
  }

  get isBehind(): boolean {
    return this.#index !== undefined && this.#acknowledged < this.#wanted;
  }

  /** When to try again: the longer the index has been down, the longer the wait. */
  nextTry({ updatedAt }: RunState, now: number): number {
    const { refreshMs, refreshMsMax } = this.#timing;
    return now + Math.max(refreshMs, Math.min(now - updatedAt, refreshMsMax));
  }

  /** At rest: sends the row unless the index has it. It never fails: whoever armed the alarm asks again. */
  refresh(driver: Driver): Promise<void> {
    this.#isToldOfLongRun = false;
    return this.#send(driver);
  }

  /** A run that goes on is shown once, and not again at each of its steps. */
  async tellOfLongRun(driver: Driver): Promise<void> {
    if (this.#isToldOfLongRun) return;
    this.#isToldOfLongRun = true;
    await this.#send(driver);
  }

  #send(driver: Driver): Promise<void> {
    this.#running ??= this.#sendAll(driver).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #sendAll(driver: Driver): Promise<void> {
    while (this.#index && this.isBehind) {
      const { id, state } = driver;
      const { revision, run } = state;
      this.#store();
      try {
        const header = headerOf(driver, this.#timing);
        if (header === undefined) await this.#index.drop(id, run);
        else await this.#index.put([...(await this.#headerOfRunBefore(state)), await header]);
        this.#acknowledged = revision;
        this.#acknowledgedRun = run;
      } catch (error) {
        console.error("hephaestus: index", id, error);
        return;
      }
      if (!driver.idle) return;
    }
  }

  /** The run before may have ended without the index hearing of it. */
  async #headerOfRunBefore({ id, run, firstRevision }: RunState): Promise<readonly Header[]> {
    if (this.#acknowledgedRun === run) return [];
    const state = foldRecords(id, this.#journal.recordsBefore(firstRevision), undefined);
    if (state.info === undefined) return [];
    const header = headerOfState(state, undefined);
    const [{ input } = {}] = await this.#journal.payloads(id, [state.firstRevision]);
    return [{ ...header, ...(input === undefined ? {} : { input }) }];
  }
}

/** The row of an instance as it stands; undefined when there is none. */
function headerOf({ state, code, payloads }: Driver, timing: Timing): Promise<Header> | undefined {
  if (state.info === undefined) return undefined;
  const header = headerOfState(state, code);
  const wakeAt = lookAt(state, code, header, timing);
  const queryable = (code?.definition.queryable ?? []).map((step) => step.name);
  const read = async (): Promise<Header> => {
    const { input, results } = await payloads.read(state, queryable);
    return {
      ...header,
      ...(wakeAt === undefined ? {} : { wakeAt }),
      ...(input === undefined ? {} : { input }),
      ...(Object.keys(results).length === 0 ? {} : { results }),
    };
  };
  return read();
}

/** When a sweep would find it overdue: its timer, or soon where something can run. */
function lookAt(state: RunState, code: Code | undefined, header: Header, timing: Timing): number | undefined {
  if (header.endedAt !== undefined) return header.wakeAt;
  if (code === undefined) return Date.now() + timing.parkedMs;
  return state.active > 0 || state.ending ? Date.now() + timing.watchdogMs : header.wakeAt;
}

/** Without its code an instance is parked: its row says how it stands, but not when it would wake. */
function headerOfState(state: RunState, code: Code | undefined): Header {
  const draft = new Draft(state, code?.graph ?? NO_GRAPH, state.updatedAt);
  const { endedAt } = state;
  return { ...toHeader(draft), revision: state.revision, ...(endedAt === undefined ? {} : { endedAt }) };
}

/** Whether a commit changes what lists show: an event that waits in the inbox does not. */
export function isSeenInIndex({ run, status, steps, fingerprint }: Changes): boolean {
  return run !== undefined || status !== undefined || steps !== undefined || fingerprint !== undefined;
}
