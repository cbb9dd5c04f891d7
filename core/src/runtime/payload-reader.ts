import type { JsonText } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
import type { Payloads, Revision } from "../engine/state.ts";
import type { Storage } from "./storage.ts";

/** Reads payloads of one instance; what was committed while it was live is at hand, the rest is loaded once. */
export interface PayloadReader {
  /** Keeps the payloads of a record that has just been committed. */
  keep(revision: Revision, payloads: Payloads): void;
  /** The input, and the results of these steps, as far as they have one. */
  read(state: RunState, steps: readonly string[]): Promise<StepPayloads>;
  /** The values of a step's checkpoints. */
  checkpoints(state: RunState, step: string): Promise<Readonly<Record<string, JsonText>>>;
  clear(): void;
}

interface StepPayloads {
  readonly input: JsonText | undefined;
  readonly results: Readonly<Record<string, JsonText>>;
}

export function payloadReader(id: string, storage: Pick<Storage, "payloads">): PayloadReader {
  const known = new Map<Revision, Payloads>();

  async function load(revisions: readonly Revision[]): Promise<void> {
    const missing = [...new Set(revisions)].filter((revision) => !known.has(revision));
    if (missing.length === 0) return;
    const loaded = await storage.payloads(id, missing);
    missing.forEach((revision, index) => {
      known.set(revision, loaded[index] ?? {});
    });
  }

  return {
    keep: (revision, payloads) => known.set(revision, payloads),
    async read(state, steps) {
      const wanted = steps.filter((name) => state.steps.get(name)?.result !== undefined);
      await load([state.firstRevision, ...wanted.map((name) => state.steps.get(name)?.result as Revision)]);
      const results: Record<string, JsonText> = {};
      for (const name of wanted) {
        const text = resultText(state, name, known);
        if (text !== undefined) results[name] = text;
      }
      return { input: known.get(state.firstRevision)?.input, results };
    },
    async checkpoints(state, step) {
      const saved = Object.entries(state.steps.get(step)?.checkpoints ?? {});
      if (saved.length === 0) return {};
      await load(saved.map(([, revision]) => revision));
      const values: Record<string, JsonText> = {};
      for (const [name, revision] of saved) {
        // A checkpoint without a value is one that returned undefined: it is there all the same.
        values[name] = known.get(revision)?.[`checkpoint:${step}:${name}`] ?? "null";
      }
      return values;
    },
    clear: () => known.clear(),
  };
}

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
