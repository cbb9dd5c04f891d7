import { findCancelled } from "./cancel-rest.ts";
import { checkNeeds } from "./certainty.ts";
import { durationMs } from "./duration.ts";
import { DONE, fingerprintOf, type Graph, type Route, type StepNode } from "./graph.ts";
import { collectProblems, DefinitionError, type Problems } from "./problems.ts";
import { resolveRetry } from "./retry-policy.ts";
import { type AnyStep, done, type Join, type StepDefinition, TIMEOUT_EVENT } from "./step.ts";
import { type Edges, isChoice, targetsOf, type WorkflowDefinition } from "./transitions.ts";
import { checkEdges, checkOptions, checkShape, checkStep } from "./validate.ts";

/**
 * Turns a definition into the graph that the engine runs.
 * @throws DefinitionError with every problem found
 */
export function compile(definition: WorkflowDefinition): Graph {
  const problems = collectProblems();
  const what = `workflow ${JSON.stringify(definition.name)}`;
  checkOptions(definition, problems);
  const steps = collectSteps(definition, problems);
  for (const step of steps.values()) checkStep(step.definition, problems);
  const edges = collectEdges(definition.edges, problems);
  for (const step of steps.values()) checkEdges(step.definition, edges.get(step.name), problems);
  // What follows needs edges that are whole.
  if (problems.list.length > 0) throw new DefinitionError(what, problems.list);

  const nodes = buildNodes(definition, [...steps.values()], edges, problems);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const starts = definition.start.map((step) => byName.get(step.name)?.index ?? DONE);
  const acyclic = checkShape(nodes, starts, problems);
  if (acyclic) checkNeeds(nodes, byName, acyclic, [...steps.values()], problems);
  for (const step of definition.output) {
    if (!byName.has(step.name)) problems.add("OUTPUT_UNKNOWN", `output ${step.name} is not a step of it`, step.name);
  }
  if (problems.list.length > 0) throw new DefinitionError(what, problems.list);

  const withCancels = findCancelled(nodes, [...steps.values()]);
  return {
    workflow: definition.name,
    version: definition.version ?? 1,
    fingerprint: fingerprintOf(withCancels, starts),
    nodes: withCancels,
    starts,
    byName: new Map(withCancels.map((node) => [node.name, node])),
    receivers: receiversOf(withCancels),
  };
}

/** Every step that the definition speaks of, in the order of first mention. */
function collectSteps(definition: WorkflowDefinition, problems: Problems): Map<string, AnyStep> {
  const steps = new Map<string, AnyStep>();
  const doubles = new Set<string>();
  const add = (step: AnyStep) => {
    if (step === done) return;
    const known = steps.get(step.name);
    if (known === step) return;
    if (known !== undefined) {
      if (!doubles.has(step.name)) problems.add("STEP_DUPLICATE", `two steps are named ${step.name}`, step.name);
      doubles.add(step.name);
      return;
    }
    steps.set(step.name, step);
    const { onFailure } = step.definition;
    if (onFailure !== undefined && onFailure !== "skip") add(onFailure);
  };
  for (const step of definition.start) add(step);
  for (const { step, edges } of definition.edges) {
    add(step);
    for (const target of Object.values(edges)) for (const one of targetsOf(target)) add(one);
  }
  return steps;
}

function collectEdges(all: readonly Edges[], problems: Problems): Map<string, Edges["edges"]> {
  const edges = new Map<string, Edges["edges"]>();
  for (const { step, edges: own } of all) {
    if (edges.has(step.name)) {
      problems.add("TRANSITIONS_DUPLICATE", `step ${step.name} has transitions twice`, step.name);
    }
    edges.set(step.name, own);
  }
  return edges;
}

function buildNodes(
  definition: WorkflowDefinition,
  steps: readonly AnyStep[],
  edges: ReadonlyMap<string, Edges["edges"]>,
  problems: Problems,
): StepNode[] {
  const indexes = new Map(steps.map((step, index) => [step.name, index]));
  const indexOf = (step: AnyStep) => (step === done ? DONE : (indexes.get(step.name) as number));
  const starts = new Set(definition.start.map(indexOf));
  const out = steps.map((step) => {
    const routes = new Map<string, Route>();
    for (const [event, target] of Object.entries(edges.get(step.name) ?? {})) {
      routes.set(event, { targets: targetsOf(target).map(indexOf), choice: isChoice(target) });
    }
    const { onFailure } = step.definition;
    const failure = onFailure === undefined || onFailure === "skip" ? onFailure : indexOf(onFailure);
    const all = new Set([...routes.values()].flatMap((route) => route.targets));
    if (typeof failure === "number") all.add(failure);
    return { routes, failure, all };
  });
  const sources: number[][] = steps.map(() => []);
  out.forEach(({ all }, index) => {
    for (const target of all) if (target !== DONE) sources[target]?.push(index);
  });
  return steps.map(({ name, definition: step }, index) => {
    const { routes, failure, all } = out[index] as (typeof out)[number];
    const isStart = starts.has(index);
    const duration = step.duration;
    return {
      name,
      index,
      kind: step.kind,
      routes,
      receives: receivesOf(step),
      targets: [...all].filter((target) => target !== DONE),
      mayEnd: all.has(DONE),
      sources: sources[index] as number[],
      isStart,
      inDegree: (sources[index] as number[]).length + (isStart ? 1 : 0),
      atLeast: atLeastOf(step.join),
      cancels: [],
      onFailure: failure,
      seesOptional: step.maybeNeeds.length > 0,
      compensates: step.compensate !== undefined,
      compensateUnknown: step.compensate !== undefined && step.outcome === "unknown",
      durationMs: duration && problems.attempt("DURATION_INVALID", [name], () => durationMs(duration, name)),
      retry: resolveRetry(step.retry, definition.retry, name, problems),
    };
  });
}

function receivesOf({ kind, events, duration }: StepDefinition): ReadonlySet<string> {
  if (kind === "timer") return new Set();
  return new Set(kind === "event" && duration ? events.filter((event) => event !== TIMEOUT_EVENT) : events);
}

function atLeastOf(join: Join | undefined): number | undefined {
  if (join === undefined || join === "all") return undefined;
  return join === "any" ? 1 : join.atLeast;
}

function receiversOf(nodes: readonly StepNode[]): Map<string, StepNode[]> {
  const receivers = new Map<string, StepNode[]>();
  for (const node of nodes) {
    for (const event of node.receives) {
      const list = receivers.get(event);
      if (list) list.push(node);
      else receivers.set(event, [node]);
    }
  }
  return receivers;
}
