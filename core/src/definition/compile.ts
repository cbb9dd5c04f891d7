import { findCancelled } from "./cancel-rest.ts";
import { checkNeedNames, checkNeeds } from "./certainty.ts";
import { type Duration, durationMs } from "./duration.ts";
import { DONE, fingerprintOf, type Graph, type Route, type StepNode } from "./graph.ts";
import { collectProblems, DefinitionError, type ProblemCode, type Problems } from "./problems.ts";
import { resolveRetry } from "./retry-policy.ts";
import { checkShape } from "./shape.ts";
import { type AnyStep, done, type Join, type StepDefinition, TIMEOUT_EVENT } from "./step.ts";
import { type Edges, isChoice, targetsOf, type WorkflowDefinition } from "./transitions.ts";
import { checkEdges, checkOptions, checkOutput, checkPayloads, checkStep, isStep } from "./validate.ts";

/** What must be right before paths can be followed: else one mistake would be told as many. */
const BREAKS_PATHS: ReadonlySet<ProblemCode> = new Set([
  "STEP_INVALID",
  "STEP_DUPLICATE",
  "STEP_WITHOUT_TRANSITIONS",
  "TRANSITIONS_DUPLICATE",
  "EVENT_WITHOUT_TRANSITION",
  "EVENTS_MISSING",
  "TARGETS_MISSING",
  "START_MISSING",
]);

/**
 * Turns a definition into the graph that the engine runs.
 * @throws DefinitionError with every problem found
 */
export function compile(definition: WorkflowDefinition): Graph {
  const problems = collectProblems();
  checkOptions(definition, problems);
  const steps = collectSteps(definition, problems);
  for (const step of steps.values()) checkStep(step.definition, problems);
  const times = new Map([...steps].map(([name, step]) => [name, timesOf(step.definition, definition, problems)]));
  const edges = collectEdges(definition.edges, problems);
  for (const step of steps.values()) checkEdges(step.definition, edges.get(step.name), problems);
  checkPayloads(steps.values(), problems);
  checkNeedNames(steps, problems);
  checkOutput(definition, steps, problems);

  const nodes = problems.list.some(({ code }) => BREAKS_PATHS.has(code))
    ? []
    : buildNodes(definition, [...steps.values()], edges, times);
  const order = checkShape(nodes, problems);
  if (order) checkNeeds(nodes, order, [...steps.values()], problems);
  if (problems.list.length > 0) {
    throw new DefinitionError(`workflow ${JSON.stringify(definition.name)}`, problems.list);
  }
  return graphOf(definition, findCancelled(nodes, [...steps.values()]));
}

function graphOf({ name, version = 1, retention }: WorkflowDefinition, nodes: readonly StepNode[]): Graph {
  const starts = nodes.filter((node) => node.isStart).map((node) => node.index);
  return {
    workflow: name,
    version,
    fingerprint: fingerprintOf(nodes, starts),
    nodes,
    starts,
    startEdges: nodes.map((node) => Number(node.isStart)),
    retentionMs: retention && durationMs(retention, "retention"),
    byName: new Map(nodes.map((node) => [node.name, node])),
    receivers: receiversOf(nodes),
  };
}

/** Every step that the definition speaks of, in the order of first mention. */
function collectSteps(definition: WorkflowDefinition, problems: Problems): Map<string, AnyStep> {
  const steps = new Map<string, AnyStep>();
  const doubles = new Set<string>();
  const add = (step: AnyStep, where: string) => {
    if (!isStep(step)) {
      const message = `${where} is ${String(step)}, not a step: do two files import each other?`;
      problems.add("STEP_INVALID", message, where);
      return;
    }
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
    if (onFailure !== undefined && onFailure !== "skip") add(onFailure, `onFailure of ${step.name}`);
  };
  for (const step of definition.start) add(step, "start");
  for (const { step, edges } of definition.edges) {
    add(step, "on");
    for (const [event, target] of Object.entries(edges)) {
      for (const one of targetsOf(target)) add(one, `a target of ${event} of ${step?.name}`);
    }
  }
  return steps;
}

function collectEdges(all: readonly Edges[], problems: Problems): Map<string, Edges["edges"]> {
  const edges = new Map<string, Edges["edges"]>();
  for (const { step, edges: own } of all) {
    // One that is not a step is told already.
    if (!isStep(step)) continue;
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
  times: ReadonlyMap<string, Times>,
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
    const own = sources[index] as number[];
    // What a transition reads stands together, and what is the same for all is there once: in a long chain the time
    // goes into reaching the memory.
    return {
      name,
      index,
      kind: step.kind,
      routes,
      targets: stepsAmong(all, routes),
      inDegree: own.length + (isStart ? 1 : 0),
      atLeast: atLeastOf(step.join),
      cancels: NONE,
      onFailure: failure,
      seesOptional: step.maybeNeeds.length > 0,
      compensates: step.compensate !== undefined,
      compensateUnknown: step.compensate !== undefined && step.outcome === "unknown",
      receives: receivesOf(step),
      mayEnd: all.has(DONE),
      sources: own,
      isStart,
      ...(times.get(name) as Times),
    };
  });
}

const NONE: readonly number[] = [];

/** The steps that edges lead to; the list of the first event, where it has them all. */
function stepsAmong(all: ReadonlySet<number>, routes: ReadonlyMap<string, Route>): readonly number[] {
  const [first] = routes.values();
  const isSame = first?.targets.length === all.size && !all.has(DONE);
  return isSame ? first.targets : [...all].filter((target) => target !== DONE);
}

type Times = Pick<StepNode, "durationMs" | "retry">;

function timesOf(step: StepDefinition, workflow: WorkflowDefinition, problems: Problems): Times {
  const { name, kind, duration } = step;
  const isGiven = duration !== undefined || kind === "timer";
  // As whoever writes it calls it.
  const field = kind === "timer" ? "for" : "timeout";
  const measure = () => durationMs(duration as Duration, `${field} of ${name}`);
  return {
    durationMs: isGiven ? problems.attempt("DURATION_INVALID", [name, field], measure) : undefined,
    retry: resolveRetry(step.retry, workflow.retry, name, problems),
  };
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
