import type { JsonText } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
import type { Payloads, Revision } from "../engine/state.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import type { Storage } from "./storage.ts";

/** Reads payloads of one instance; what was committed while it was live is at hand, the rest is loaded once. */
export interface PayloadReader {
  /** Keeps the payloads of a record that has just been committed. */
  keep(revision: Revision, payloads: Payloads): void;
  /** The input, and the results of these steps, as far as they have one. */
  read(state: RunState, steps: readonly string[]): MaybePromise<StepPayloads>;
  /** The values of a step's checkpoints. */
  checkpoints(state: RunState, step: string): MaybePromise<Readonly<Record<string, JsonText>>>;
  clear(): void;
}

interface StepPayloads {
  readonly input: JsonText | undefined;
  readonly results: Readonly<Record<string, JsonText>>;
}

export function payloadReader(id: string, storage: Pick<Storage, "payloads">): PayloadReader {
  const known = new Map<Revision, Payloads>();

  function load(revisions: readonly Revision[]): MaybePromise<void> {
    if (revisions.every((revision) => known.has(revision))) return undefined;
    const missing = [...new Set(revisions)].filter((revision) => !known.has(revision));
    return storage.payloads(id, missing).then((loaded) => {
      missing.forEach((revision, index) => {
        known.set(revision, loaded[index] ?? {});
      });
    });
  }

  return {
    keep: (revision, payloads) => known.set(revision, payloads),
    read(state, steps) {
      const wanted = steps.filter((name) => state.steps.get(name)?.result !== undefined);
      const there = load([state.firstRevision, ...wanted.map((name) => state.steps.get(name)?.result as Revision)]);
      return whenThere(there, () => {
        const results: Record<string, JsonText> = {};
        for (const name of wanted) {
          const text = resultText(state, name, known);
          if (text !== undefined) results[name] = text;
        }
        return { input: known.get(state.firstRevision)?.input, results };
      });
    },
    checkpoints(state, step) {
      const saved = state.steps.get(step)?.checkpoints;
      if (saved === undefined) return NONE;
      return whenThere(load(Object.values(saved)), () => {
        const values: Record<string, JsonText> = {};
        for (const [name, revision] of Object.entries(saved)) {
          const text = known.get(revision)?.[`checkpoint:${step}:${name}`];
          if (text !== undefined) values[name] = text;
        }
        return values;
      });
    },
    clear: () => known.clear(),
  };
}

const NONE: Readonly<Record<string, JsonText>> = {};

/** Where a step's result stands: with the event that it took, or with its own outcome. */
export function resultText(
  state: RunState,
  name: string,
  known: ReadonlyMap<Revision, Payloads>,
): JsonText | undefined {
  const step = state.steps.get(name);
  if (step?.result === undefined) return undefined;
  return known.get(step.result)?.[step.taken === undefined ? `result:${name}` : `event:${step.taken}`];
}
