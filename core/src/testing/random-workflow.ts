import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, emit, type StepOptions, wait, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import type { ModelStep, ModelWorkflow } from "./model.ts";

/** Picks a whole number from 0 to below `n`: a random source, or what a test that shrinks its cases remembers. */
export type Pick = (n: number) => number;

export interface RandomOptions {
  /** The most steps. */
  readonly steps: number;
  /** Joins that cancel others, whose outcome depends on the order of completion. */
  readonly cancelRest: boolean;
  /** Whether a step's failure may fail the run. */
  readonly failures: boolean;
}

/** Any workflow that can be defined, of all kinds of steps, joins, choices, failure routes and starts. */
export function randomWorkflow(pick: Pick, options: RandomOptions): ModelWorkflow {
  const count = 1 + pick(options.steps);
  const names = Array.from({ length: count }, (_, index) => `s${index}`);
  const plain = names.map((name, index) => randomStep(name, [...names.slice(index + 1), "done"], pick, options));
  const sourcesOf = (name: string) => plain.filter((step) => allTargets(step).includes(name)).length;
  const starts = names.filter((name, index) => index === 0 || sourcesOf(name) === 0 || pick(8) === 7);
  const steps = plain.map((step) => {
    const edges = sourcesOf(step.name) + Number(starts.includes(step.name));
    const relaxed = edges > 1 && pick(2) === 1;
    if (!relaxed) return step;
    return { ...step, atLeast: 1 + pick(edges), cancelRest: options.cancelRest && pick(2) === 1 };
  });
  return { starts, steps };
}

function randomStep(name: string, targets: readonly string[], pick: Pick, { failures }: RandomOptions): ModelStep {
  const kind = (["run", "run", "run", "event", "timer"] as const)[pick(5)] ?? "run";
  const routes = [...(failures ? [undefined] : []), "skip", ...targets];
  const onFailure = failures || pick(2) === 1 ? routes[pick(routes.length)] : "skip";
  const events: Record<string, readonly string[]> = {};
  const choices: string[] = [];
  for (const event of eventNames(kind, pick)) {
    const some = targets.filter(() => pick(3) === 0);
    events[event] = some.length > 0 ? some : [targets[pick(targets.length)] as string];
    if (pick(4) === 3) choices.push(event);
  }
  return { name, kind, events, choices, onFailure, atLeast: undefined, cancelRest: false };
}

function eventNames(kind: ModelStep["kind"], pick: Pick): string[] {
  if (kind === "timer") return ["done"];
  // Few names, so that several steps take the same event.
  const names = ["a", "b", "c"].slice(0, 1 + pick(3));
  return kind === "event" && pick(2) === 1 ? [...names, "timeout"] : names;
}

function allTargets(step: ModelStep): string[] {
  const own = Object.values(step.events).flat();
  return step.onFailure === undefined || step.onFailure === "skip" ? own : [...own, step.onFailure];
}

/** The length of every wait and timeout of a random workflow. */
export const RANDOM_WAIT_MS = 60_000;

/** The same workflow, for the engine. */
export function toWorkflow({ starts, steps }: ModelWorkflow, name = "random"): AnyWorkflow {
  const made = new Map<string, AnyStep>([["done", done]]);
  const get = (one: string) => made.get(one) as AnyStep;
  // Edges lead forward, so what a step names is there when it is made.
  for (const step of [...steps].reverse()) made.set(step.name, toStep(step, get));
  return defineWorkflow({
    name,
    input: type<unknown>(),
    start: starts.map(get),
    transitions: ({ on, choose }) =>
      steps.map(({ name: from, events, choices }) => {
        const edges = Object.entries(events).map(([event, targets]) => {
          const all = targets.map(get);
          return [event, choices.includes(event) ? choose(all, () => all) : all];
        });
        return on(get(from), Object.fromEntries(edges));
      }),
  });
}

function toStep({ name, kind, events, onFailure, atLeast, cancelRest }: ModelStep, get: (name: string) => AnyStep) {
  const options: StepOptions = {
    ...(atLeast === undefined ? {} : { join: { atLeast } }),
    ...(cancelRest ? { cancelRest } : {}),
    ...(onFailure === undefined ? {} : { onFailure: onFailure === "skip" ? "skip" : get(onFailure) }),
  };
  const duration = { milliseconds: RANDOM_WAIT_MS };
  if (kind === "timer") return wait({ ...options, name, for: duration });
  const names = Object.keys(events);
  if (kind === "run") {
    const retry = { maxAttempts: 1 };
    return defineStep({
      ...options,
      name,
      retry,
      events: names,
      run: () => emit(names[0] as string),
      compensate: () => {},
    });
  }
  const payloads = names.filter((event) => event !== "timeout").map((event) => [event, type<unknown>()]);
  const timeout = Object.hasOwn(events, "timeout") ? { timeout: duration } : {};
  return waitForEvent({ ...options, name, events: Object.fromEntries(payloads), ...timeout } as Parameters<
    typeof waitForEvent
  >[0]);
}
