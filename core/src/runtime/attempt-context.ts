import { decodePayload, encodePayload, type JsonText } from "../definition/json.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import type { Signal } from "../definition/signal.ts";
import { type Connectors, needName, type StepContext, type StepDefinition } from "../definition/step.ts";
import type { Aborter } from "./aborter.ts";
import type { Clock, Random } from "./clock.ts";

/** All that one attempt of one step is given, as plain JSON: it can be sent to another machine. */
export interface AttemptInput {
  readonly id: string;
  readonly run: number;
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly key?: string;
  readonly step: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly input?: JsonText;
  /** Of the steps that it needs, as far as they have one. */
  readonly results: Readonly<Record<string, JsonText>>;
  readonly checkpoints: Readonly<Record<string, JsonText>>;
}

/** What an attempt needs of the place where it runs. */
export interface AttemptPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: Connectors;
  readonly aborter: Aborter;
  /** Stores a checkpoint; resolves when it is durable. */
  saveCheckpoint(name: string, value: JsonText): Promise<void>;
}

type Context = StepContext<unknown> & { readonly results: Record<string, unknown> };

/** What one attempt's code is given. */
export function attemptContext(definition: StepDefinition, given: AttemptInput, ports: AttemptPorts): Context {
  const { id, run, workflow, version, key, step, epoch, attempt } = given;
  let begun: Map<string, Promise<unknown>> | undefined;
  const context: Omit<Context, "signal"> & Abortable = {
    input: decodePayload(given.input),
    results: resultsOf(definition, given),
    connectors: ports.connectors,
    // The same on every attempt, another one after the step was compensated and is run again.
    idempotencyKey: `${id}#${run}/${step}${epoch > 0 ? `~${epoch}` : ""}`,
    attempt,
    instance: key === undefined ? { id, run, workflow, version } : { id, run, workflow, version, key },
    checkpoint(name, effect) {
      begun ??= new Map();
      const running = begun.get(name) ?? runCheckpoint(given, ports, name, effect);
      begun.set(name, running);
      // What failed may be tried again.
      running.catch(() => begun?.delete(name));
      return running as Promise<never>;
    },
    [ABORTER]: ports.aborter,
  };
  return Object.defineProperty(context, "signal", SIGNAL) as typeof context & Pick<Context, "signal">;
}

const ABORTER: unique symbol = Symbol("aborter");

interface Abortable {
  readonly [ABORTER]: Aborter;
}

/**
 * The signal is made when it is looked at: most steps never do, and it is not cheap. All contexts share the getter: of
 * an object with a getter of its own V8 makes a shape of its own, in the old generation, which keeps all that the getter
 * sees, and what that refers to, until a full collection.
 */
const SIGNAL = {
  enumerable: true,
  get(this: Abortable): Signal {
    return this[ABORTER].signal as Signal;
  },
};

function resultsOf({ needs, maybeNeeds }: StepDefinition, given: AttemptInput): Record<string, unknown> {
  const results: Record<string, unknown> = {};
  for (const list of [needs, maybeNeeds]) {
    for (const need of list) {
      const name = needName(need);
      const text = given.results[name];
      if (text !== undefined) results[name] = decodePayload(text);
    }
  }
  return results;
}

async function runCheckpoint<T>(
  { step, checkpoints }: AttemptInput,
  ports: AttemptPorts,
  name: string,
  effect: () => T | Promise<T>,
): Promise<T> {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    refuseOption("name", `${JSON.stringify(name)} is not a name of a checkpoint`);
  }
  if (Object.hasOwn(checkpoints, name)) return decodePayload(checkpoints[name]) as T;
  const value = await effect();
  const text = encodePayload(value, `checkpoint "${name}" of step "${step}"`) ?? "null";
  await ports.saveCheckpoint(name, text);
  // As a later attempt would see it.
  return decodePayload(text) as T;
}
