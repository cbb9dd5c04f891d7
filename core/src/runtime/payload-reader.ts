import type { JsonText } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
import type { Payloads, Revision, StepState } from "../engine/state.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import type { Storage } from "./storage.ts";

interface StepPayloads {
  readonly input: JsonText | undefined;
  readonly results: Readonly<Record<string, JsonText>>;
}

/** Reads payloads of one instance; what was committed while it was live is at hand, the rest is loaded once. */
export class PayloadReader {
  readonly #id: string;
  readonly #storage: Pick<Storage, "payloads">;
  readonly #lookAgain: () => Promise<unknown>;
  readonly #known = new Map<Revision, Payloads>();

  /** @param lookAgain has the state read anew: a record that it names is without its payloads, or gone */
  constructor(id: string, storage: Pick<Storage, "payloads">, lookAgain: () => Promise<unknown>) {
    this.#id = id;
    this.#storage = storage;
    this.#lookAgain = lookAgain;
  }

  /** Keeps the payloads of a record that has just been committed. */
  keep(revision: Revision, payloads: Payloads): void {
    this.#known.set(revision, payloads);
  }

  /** The input, and the results of these steps, as far as they have one. */
  read(state: RunState, steps: readonly string[]): MaybePromise<StepPayloads> {
    let isThere = this.#known.has(state.firstRevision);
    for (const name of steps) isThere &&= this.#known.has(state.steps.get(name)?.result ?? state.firstRevision);
    if (isThere) return this.#gather(state, steps);
    const revisions = steps.map((name) => state.steps.get(name)?.result ?? state.firstRevision);
    return this.#load([state.firstRevision, ...revisions]).then(() => this.#gather(state, steps));
  }

  #gather(state: RunState, steps: readonly string[]): StepPayloads {
    const input = this.#known.get(state.firstRevision)?.input;
    if (steps.length === 0) return { input, results: NONE };
    const results: Record<string, JsonText> = {};
    for (const name of steps) {
      const text = resultText(state, name, this.#known);
      if (text !== undefined) results[name] = text;
    }
    return { input, results };
  }

  /** The values of a step's checkpoints. */
  checkpoints(state: RunState, step: string): MaybePromise<Readonly<Record<string, JsonText>>> {
    const saved = state.steps.get(step)?.checkpoints;
    if (saved === undefined) return NONE;
    const revisions = Object.values(saved);
    const isThere = revisions.every((revision) => this.#known.has(revision));
    return whenThere(isThere ? undefined : this.#load(revisions), () => {
      const values: Record<string, JsonText> = {};
      for (const [name, revision] of Object.entries(saved)) {
        const text = this.#known.get(revision)?.[`checkpoint:${step}:${name}`];
        if (text !== undefined) values[name] = text;
      }
      return values;
    });
  }

  /** The payloads of these records, by revision; among others, perhaps. */
  at(revisions: readonly Revision[]): MaybePromise<ReadonlyMap<Revision, Payloads>> {
    const isThere = revisions.every((revision) => this.#known.has(revision));
    return whenThere(isThere ? undefined : this.#load(revisions), () => this.#known);
  }

  /** All that a view of the run shows; undefined unless it is at hand. */
  allOf(state: RunState): ReadonlyMap<Revision, Payloads> | undefined {
    if (!this.#known.has(state.firstRevision)) return undefined;
    for (const [, { result }] of state.steps) {
      if (result !== undefined && !this.#known.has(result)) return undefined;
    }
    return this.#known;
  }

  clear(): void {
    this.#known.clear();
  }

  async #load(revisions: readonly Revision[]): Promise<void> {
    const missing = [...new Set(revisions)].filter((revision) => !this.#known.has(revision));
    const loaded = await this.#storage.payloads(this.#id, missing);
    missing.forEach((revision, index) => {
      this.#known.set(revision, loaded[index] ?? {});
    });
    // Whoever asks looks at the state again before it goes on: the instance may have been deleted meanwhile.
    if (loaded.some(isEmpty)) await this.#lookAgain();
  }
}

const NONE: Readonly<Record<string, JsonText>> = {};

function isEmpty(payloads: Payloads): boolean {
  for (const _name in payloads) return false;
  return true;
}

/** Where a step's result stands: with the event that it took, or with its own outcome. */
export function resultText(
  state: RunState,
  name: string,
  known: ReadonlyMap<Revision, Payloads>,
): JsonText | undefined {
  const step = state.steps.get(name);
  return step?.result === undefined ? undefined : known.get(step.result)?.[resultName(name, step)];
}

/** By what name a step's result stands in the payloads of its record. */
export function resultName(name: string, { taken }: StepState): string {
  return taken === undefined ? `result:${name}` : `event:${taken}`;
}
