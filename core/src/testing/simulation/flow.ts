import { NonRetryableError } from "../../definition/errors.ts";
import { type } from "../../definition/schema.ts";
import {
  type AnyStep,
  defineStep,
  done,
  emit,
  pending,
  type RunOptions,
  type StepContext,
  wait,
  waitForEvent,
} from "../../definition/step.ts";
import { isChoice, targetsOf } from "../../definition/transitions.ts";
import { type AnyWorkflow, defineWorkflow } from "../../definition/workflow.ts";
import type { ModelStep, ModelWorkflow } from "../model.ts";
import { mix, mixText, toUnit } from "./chance.ts";
import type { Behaviour, PlannedStep, PlannedWorkflow } from "./plan.ts";

/** The message of the errors that the code of random steps throws. */
const SCRIPTED = "as the plan has it";

/** What an attempt of a random step ends with: it names the attempt, so that no other can pass for it. */
interface ScriptedResult {
  readonly by: string;
  readonly n: number;
}

type Context = StepContext<unknown, [], []> & { readonly result?: unknown };

/** A planned workflow, as its user would have written it. */
export function toFlow(planned: PlannedWorkflow, seed: number): AnyWorkflow {
  const { name, starts, steps, behaviour, retentionMs } = planned;
  const made = new Map<string, AnyStep>([["done", done]]);
  const get = (one: string) => made.get(one) as AnyStep;
  // Edges lead forward, what is seen lies behind.
  const names = steps.map((step) => step.name);
  for (const step of [...steps].reverse()) made.set(step.name, toStep(step, get, behaviour, seed));
  const seen = steps.filter((step) => step.kind === "run" && step.sees.length > 0);
  for (const step of seen) {
    const maybeNeeds = step.sees.filter((one) => names.includes(one)).map(get);
    (get(step.name).definition.maybeNeeds as AnyStep[]).push(...maybeNeeds);
  }
  return defineWorkflow({
    name,
    input: type<unknown>(),
    unique: { key: "n" },
    ...(retentionMs === undefined ? {} : { retention: { milliseconds: retentionMs } }),
    start: starts.map(get),
    transitions: ({ on, choose }) =>
      steps.map(({ name: from, events, choices }) => {
        const edges = Object.entries(events).map(([event, targets]) => {
          const all = targets.map(get);
          return [event, choices.includes(event) ? choose(all, pickerOf(all, behaviour)) : all];
        });
        return on(get(from), Object.fromEntries(edges));
      }),
  });
}

function toStep(step: PlannedStep, get: (name: string) => AnyStep, behaviour: Behaviour, seed: number): AnyStep {
  const { name, kind, events, onFailure, atLeast, cancelRest, retry } = step;
  const options: RunOptions = {
    ...(atLeast === undefined ? {} : { join: { atLeast } }),
    ...(cancelRest ? { cancelRest } : {}),
    ...(onFailure === undefined ? {} : { onFailure: onFailure === "skip" ? "skip" : get(onFailure) }),
  };
  const duration = { milliseconds: step.durationMs };
  if (kind === "timer") return wait({ ...options, name, for: duration });
  const names = Object.keys(events);
  if (kind === "event") {
    const payloads = names.filter((event) => event !== "timeout").map((event) => [event, type<unknown>()]);
    const timeout = names.includes("timeout") ? { timeout: duration } : {};
    const definition = { ...options, name, events: Object.fromEntries(payloads), ...timeout };
    return waitForEvent(definition as unknown as Parameters<typeof waitForEvent>[0]);
  }
  return defineStep({
    ...options,
    name,
    events: names,
    maybeNeeds: [] as AnyStep[],
    retry: {
      maxAttempts: retry.maxAttempts,
      backoff: retry.backoff,
      initial: { milliseconds: retry.initialMs },
      max: { milliseconds: retry.maxMs },
    },
    ...(step.timeoutMs === undefined ? {} : { timeout: { milliseconds: step.timeoutMs } }),
    ...(step.unknownToo ? { outcome: "unknown" as const } : {}),
    run: (context) => script(step, behaviour, seed, context as unknown as Context) as never,
    ...(step.compensates ? { compensate: (context: unknown) => undo(step, behaviour, seed, context as Context) } : {}),
  });
}

/** What the code of a random step does: it follows from the plan and from what it is given. */
function script(step: PlannedStep, behaviour: Behaviour, seed: number, context: Context): unknown {
  const { attempt, idempotencyKey } = context;
  const hash = mix(mixText(seed, idempotencyKey), attempt);
  const roll = toUnit(mix(hash, 1));
  const { fails, failsForGood, pends, hangs, emitsUndeclared } = behaviour;
  const end = () => {
    if (roll < fails) throw new Error(SCRIPTED);
    if (roll < fails + failsForGood) throw new NonRetryableError(SCRIPTED);
    if (roll < fails + failsForGood + pends) return pending();
    if (roll > 1 - emitsUndeclared) return emit("undeclared");
    const events = Object.keys(step.events);
    const result: ScriptedResult = { by: `${idempotencyKey}@${attempt}`, n: mix(hash, 2) % 1_000 };
    return emit(events[mix(hash, 3) % events.length] as string, result);
  };
  if (step.timeoutMs !== undefined && toUnit(mix(hash, 4)) < hangs) return new Promise(() => {});
  if (!step.checkpoints) return end();
  const effect = () => `${idempotencyKey}@${attempt}`;
  return context.checkpoint("first", effect).then(end);
}

function undo(step: PlannedStep, { compensationFails }: Behaviour, seed: number, context: Context): void {
  const hash = mix(mixText(seed ^ 0x5bd1, context.idempotencyKey + step.name), context.attempt);
  if (toUnit(hash) < compensationFails) throw new Error(SCRIPTED);
}

function pickerOf(targets: readonly AnyStep[], { choosesBadly, choosesByInput }: Behaviour) {
  return ({ result, input }: { readonly result: unknown; readonly input: unknown }) => {
    const n = numberOf(result) ^ (choosesByInput ? numberOf(input) : 0);
    if (toUnit(mix(n, 77)) < choosesBadly) throw new Error(SCRIPTED);
    const some = targets.filter((_, index) => (n >> index) & 1);
    return some.length > 0 ? some : [targets[0] as AnyStep];
  };
}

function numberOf(payload: unknown): number {
  return (payload as { readonly n?: number } | null | undefined)?.n ?? 0;
}

/**
 * A workflow as its author wrote it, read off its definition and not off the compiled graph: but for the order of steps,
 * which is that of their first mention.
 */
export function toModel({ definition, graph }: AnyWorkflow): ModelWorkflow {
  const steps = new Map<string, ModelStep>();
  for (const { step, edges } of definition.edges) {
    const { name, kind, onFailure, join, cancelRest = false } = step.definition;
    const events = Object.fromEntries(
      Object.entries(edges).map(([event, target]) => [event, targetsOf(target).map((one) => one.name)]),
    );
    const choices = Object.keys(edges).filter((event) => isChoice(edges[event]));
    steps.set(name, {
      name,
      kind,
      events,
      choices,
      onFailure: onFailure === undefined || onFailure === "skip" ? onFailure : onFailure.name,
      atLeast: join === undefined || join === "all" ? undefined : join === "any" ? 1 : join.atLeast,
      cancelRest,
    });
  }
  const inOrder = graph.nodes.flatMap(({ name }) => steps.get(name) ?? []);
  return { starts: definition.start.map((step) => step.name), steps: inOrder };
}
