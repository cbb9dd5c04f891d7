import { durationMs } from "./duration.ts";
import { HephaestusError } from "./errors.ts";
import { DONE, type StepNode } from "./graph.ts";
import { encodePayload } from "./json.ts";
import type { Problems } from "./problems.ts";
import type { Schema } from "./schema.ts";
import type { StepDefinition } from "./step.ts";
import { type Edges, targetsOf, type WorkflowDefinition } from "./transitions.ts";

/** Names of workflows, steps, events and keys. They begin with a letter, so that none is `__proto__`. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const TAG_LENGTH_MAX = 64;
const TAGS_MAX = 32;

function checkName(name: unknown, what: string, problems: Problems): void {
  if (typeof name === "string" && NAME.test(name) && name !== "done") return;
  const why =
    name === "done" && what === "step"
      ? "done is the end of every workflow"
      : "a letter, then up to 63 of letters, digits, _ and -";
  if (name === "done" && what !== "step") return;
  problems.add("NAME_INVALID", `${what} name ${JSON.stringify(name)}: ${why}`, String(name));
}

/** What stands at the top of a definition. */
export function checkOptions(definition: WorkflowDefinition, problems: Problems): void {
  const { name, version = 1, unique, tags = [], metadata, retention, input, start } = definition;
  checkName(name, "workflow", problems);
  if (!Number.isSafeInteger(version) || version < 1) {
    problems.add("VERSION_INVALID", "version must be an integer, 1 or more", String(version));
  }
  if (unique) {
    if (!NAME.test(unique.key))
      problems.add("KEY_INVALID", `key name ${JSON.stringify(unique.key)} is not a name`, "unique");
    if (!["workflow", "version", "global", "none"].includes(unique.scope ?? "workflow")) {
      problems.add("SCOPE_INVALID", `unknown scope ${JSON.stringify(unique.scope)}`, "unique");
    }
  }
  if (!Array.isArray(tags) || tags.length > TAGS_MAX)
    problems.add("TAG_INVALID", `at most ${TAGS_MAX} tags, in a list`, "tags");
  for (const tag of tags) {
    if (typeof tag !== "string" || tag.length === 0 || tag.length > TAG_LENGTH_MAX) {
      problems.add("TAG_INVALID", `tag ${JSON.stringify(tag)}: 1 to ${TAG_LENGTH_MAX} characters`, String(tag));
    }
  }
  if (metadata !== undefined)
    problems.attempt("METADATA_INVALID", ["metadata"], () => encodePayload(metadata, "metadata"));
  if (retention) problems.attempt("DURATION_INVALID", ["retention"], () => durationMs(retention, "retention"));
  if (!isSchema(input)) problems.add("SCHEMA_INVALID", "input must be a Standard Schema, or type<T>()", "input");
  if (start.length === 0) problems.add("START_MISSING", "start names no step", "start");
}

/** What can be wrong with a step by itself. */
export function checkStep(step: StepDefinition, problems: Problems): void {
  const { name, events, join, timeout, duration } = step;
  checkName(name, "step", problems);
  if (events.length === 0) problems.add("EVENTS_MISSING", `step ${name} has no event`, name);
  for (const event of events) checkName(event, "event", problems);
  const double = events.find((event, index) => events.indexOf(event) !== index);
  if (double !== undefined)
    problems.add("EVENT_DUPLICATE", `step ${name} declares event ${double} twice`, name, double);
  if (typeof join === "object" && (!Number.isSafeInteger(join.atLeast) || join.atLeast < 1)) {
    problems.add("JOIN_INVALID", `join of ${name}: atLeast must be an integer, 1 or more`, name);
  } else if (join !== undefined && typeof join !== "object" && join !== "all" && join !== "any") {
    problems.add("JOIN_INVALID", `join of ${name}: unknown ${JSON.stringify(join)}`, name);
  }
  if (step.cancelRest && (join === undefined || join === "all")) {
    problems.add("CANCEL_REST_WITHOUT_JOIN", `cancelRest of ${name} needs join "any" or atLeast`, name);
  }
  if (timeout) problems.attempt("DURATION_INVALID", [name, "timeout"], () => durationMs(timeout, `timeout of ${name}`));
  if (duration) problems.attempt("DURATION_INVALID", [name], () => durationMs(duration, `duration of ${name}`));
  for (const [event, schema] of Object.entries(step.payloads ?? {})) {
    if (!isSchema(schema))
      problems.add("SCHEMA_INVALID", `event ${event} of ${name} needs a schema, or type<T>()`, name, event);
  }
}

function isSchema(value: unknown): value is Schema<unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}

/** That a step's transitions are exactly its events, and lead somewhere. */
export function checkEdges(step: StepDefinition, edges: Edges["edges"] | undefined, problems: Problems): void {
  const { name } = step;
  if (edges === undefined) {
    problems.add("STEP_WITHOUT_TRANSITIONS", `step ${name} has no transitions`, name);
    return;
  }
  for (const event of step.events) {
    if (!Object.hasOwn(edges, event)) {
      problems.add("EVENT_WITHOUT_TRANSITION", `event ${event} of ${name} has no transition`, name, event);
    }
  }
  for (const [event, target] of Object.entries(edges)) {
    if (!step.events.includes(event)) {
      problems.add(
        "TRANSITION_WITHOUT_EVENT",
        `${name} has a transition for ${event}, which it never emits`,
        name,
        event,
      );
    }
    const targets = targetsOf(target);
    if (targets.length === 0) problems.add("TARGETS_MISSING", `event ${event} of ${name} leads nowhere`, name, event);
    if (new Set(targets).size < targets.length) {
      problems.add("TARGET_DUPLICATE", `event ${event} of ${name} names a target twice`, name, event);
    }
  }
}

/**
 * Cycles, unreachable steps, steps from which no path ends, joins that cannot fill.
 * @returns the steps in an order in which edges lead forward, or undefined when there is a cycle
 */
export function checkShape(
  nodes: readonly StepNode[],
  starts: readonly number[],
  problems: Problems,
): number[] | undefined {
  const reached = reach(starts, (node) => node.targets, nodes);
  for (const node of nodes) {
    if (!reached.has(node.index)) problems.add("STEP_UNREACHABLE", `no path leads to step ${node.name}`, node.name);
  }
  const ends = nodes.filter((node) => node.mayEnd).map((node) => node.index);
  const ending = reach(ends, (node) => node.sources, nodes);
  for (const node of nodes) {
    if (!ending.has(node.index))
      problems.add("DONE_UNREACHABLE", `no path from step ${node.name} leads to done`, node.name);
  }
  for (const node of nodes) {
    if (node.atLeast !== undefined && node.atLeast > node.inDegree) {
      problems.add(
        "JOIN_UNFILLABLE",
        `join of ${node.name} needs ${node.atLeast} edges and has ${node.inDegree}`,
        node.name,
      );
    }
  }
  return sortTopologically(nodes, problems);
}

function reach(
  from: readonly number[],
  next: (node: StepNode) => readonly number[],
  nodes: readonly StepNode[],
): Set<number> {
  const seen = new Set(from.filter((index) => index !== DONE));
  for (const index of seen) for (const target of next(nodes[index] as StepNode)) seen.add(target);
  return seen;
}

function sortTopologically(nodes: readonly StepNode[], problems: Problems): number[] | undefined {
  const missing = nodes.map((node) => node.sources.length);
  const order = nodes.filter((node) => node.sources.length === 0).map((node) => node.index);
  for (const index of order) {
    for (const target of (nodes[index] as StepNode).targets) {
      missing[target] = (missing[target] as number) - 1;
      if (missing[target] === 0) order.push(target);
    }
  }
  if (order.length === nodes.length) return order;
  const cycle = findCycle(nodes, new Set(nodes.map((node) => node.index).filter((index) => !order.includes(index))));
  problems.add("CYCLE", `steps lead back to themselves: ${[...cycle, cycle[0]].join(" → ")}`, ...cycle);
  return undefined;
}

/** Walks back from a step that was never free of sources: every such step has such a source. */
function findCycle(nodes: readonly StepNode[], rest: ReadonlySet<number>): string[] {
  const path: number[] = [];
  let index = rest.values().next().value as number;
  while (!path.includes(index)) {
    path.push(index);
    index = (nodes[index] as StepNode).sources.find((source) => rest.has(source)) as number;
  }
  return path
    .slice(path.indexOf(index))
    .reverse()
    .map((each) => (nodes[each] as StepNode).name);
}

/** For the places that check one value by the rules of definitions. */
export function assertTags(tags: readonly string[]): void {
  const valid =
    Array.isArray(tags) &&
    tags.length <= TAGS_MAX &&
    tags.every((tag) => typeof tag === "string" && tag.length > 0 && tag.length <= TAG_LENGTH_MAX);
  if (!valid) {
    throw new HephaestusError(
      "OPTION_INVALID",
      `tags: at most ${TAGS_MAX} texts of 1 to ${TAG_LENGTH_MAX} characters`,
      { field: "tags" },
    );
  }
}
