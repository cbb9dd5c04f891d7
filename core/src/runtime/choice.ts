import { HephaestusError } from "../definition/errors.ts";
import { decodePayload, type JsonText } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
import type { PayloadReader } from "./payload-reader.ts";
import type { Code } from "./registry.ts";

/**
 * Runs the `choose` of a step's event.
 * @param fresh the result of the step, when it is not stored yet
 * @returns the names of the chosen targets
 * @throws HephaestusError CHOICE_FAILED with what the code threw as its cause
 */
export async function pickTargets(
  code: Code,
  { state, payloads }: { readonly state: RunState; readonly payloads: PayloadReader },
  step: string,
  event: string,
  fresh?: JsonText,
): Promise<string[]> {
  const choice = code.choiceOf(step, event);
  if (choice === undefined) throw new HephaestusError("CHOICE_FAILED", `there is no choice after ${step}: ${event}`);
  const { input, results: texts } = await payloads.read(state, [...state.completed, step]);
  const results: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(texts)) results[name] = decodePayload(text);
  if (fresh !== undefined) results[step] = decodePayload(fresh);
  try {
    const picked = choice.pick({ input: decodePayload(input), result: results[step], results });
    return [picked].flat().map((target) => (target as { name: string }).name);
  } catch (cause) {
    throw new HephaestusError("CHOICE_FAILED", `the choice after ${step} threw`, { step }, { cause });
  }
}
