import { durationMs } from "./duration.ts";
import { encodePayload } from "./json.ts";
import type { Problems } from "./problems.ts";
import { refuseOption } from "./refuse-option.ts";
import type { Schema } from "./schema.ts";
import { type AnyStep, done, type StepDefinition } from "./step.ts";
import { type Edges, targetsOf, type WorkflowDefinition } from "./transitions.ts";

/** Names of workflows, steps, events and keys. They begin with a letter, so that none is `__proto__`. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const TAG_LENGTH_MAX = 64;
const TAGS_MAX = 32;

const NAME_RULE = "a letter, then up to 63 of letters, digits, _ and -";

/** `done` is the end of every workflow: no step can be named so, but an event or a workflow can. */
function checkName(name: unknown, what: "workflow" | "step" | "event", problems: Problems): void {
  if (typeof name === "string" && NAME.test(name) && (name !== "done" || what !== "step")) return;
  problems.add("NAME_INVALID", `${what} name ${JSON.stringify(name)}: ${NAME_RULE}, and no step is done`, String(name));
}

const TAGS_RULE = `at most ${TAGS_MAX} texts of 1 to ${TAG_LENGTH_MAX} characters`;

function isTag(tag: unknown): boolean {
  return typeof tag === "string" && tag.length > 0 && tag.length <= TAG_LENGTH_MAX;
}

/** What is wrong with a list of tags: the list, or some of them. */
function wrongTags(tags: unknown): readonly unknown[] {
  return Array.isArray(tags) && tags.length <= TAGS_MAX ? tags.filter((tag) => !isTag(tag)) : ["tags"];
}

/** For the places that check one value by the rules of definitions. */
export function assertTags(tags: readonly string[]): void {
  if (wrongTags(tags).length > 0) refuseOption("tags", TAGS_RULE);
}

/** A number of things of which there must be at least one. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** What stands at the top of a definition. */
export function checkOptions(definition: WorkflowDefinition, problems: Problems): void {
  const { name, version = 1, unique, tags = [], metadata, retention, input, start } = definition;
  checkName(name, "workflow", problems);
  if (!isCount(version)) problems.add("VERSION_INVALID", "version must be an integer, 1 or more", String(version));
  if (unique) {
    const { key, scope = "workflow" } = unique;
    if (!NAME.test(key)) problems.add("KEY_INVALID", `key name ${JSON.stringify(key)}: ${NAME_RULE}`, "unique");
    if (!["workflow", "version", "global", "none"].includes(scope)) {
      problems.add("SCOPE_INVALID", `unknown scope ${JSON.stringify(scope)}`, "unique");
    }
  }
  for (const tag of wrongTags(tags).map(String)) problems.add("TAG_INVALID", `tags: ${TAGS_RULE}: ${tag}`, tag);
  if (metadata !== undefined) {
    problems.attempt("METADATA_INVALID", ["metadata"], () => encodePayload(metadata, "metadata"));
    const isRecord = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
    if (!isRecord) problems.add("METADATA_INVALID", "metadata is an object of names and values", "metadata");
  }
  if (retention !== undefined) {
    problems.attempt("DURATION_INVALID", ["retention"], () => durationMs(retention, "retention"));
  }
  if (!isSchema(input)) problems.add("SCHEMA_INVALID", "input must be a Standard Schema, or type<T>()", "input");
  if (start.every((step) => step === done)) problems.add("START_MISSING", "start names no step", "start");
  if (new Set(start).size < start.length) problems.add("TARGET_DUPLICATE", "start names a step twice", "start");
}

/** What can be wrong with a step by itself. */
export function checkStep(step: StepDefinition, problems: Problems): void {
  const { name, events, join = "all", timeout, payloads = {} } = step;
  checkName(name, "step", problems);
  if (events.length === 0) problems.add("EVENTS_MISSING", `step ${name} has no event`, name);
  for (const event of events) checkName(event, "event", problems);
  const double = events.find((event, index) => events.indexOf(event) !== index);
  if (double !== undefined)
    problems.add("EVENT_DUPLICATE", `step ${name} declares event ${double} twice`, name, double);
  if (typeof join === "object" ? !isCount(join.atLeast) : join !== "all" && join !== "any") {
    problems.add("JOIN_INVALID", `join of ${name}: "all", "any", or atLeast with an integer, 1 or more`, name);
  }
  if (step.cancelRest && join === "all") {
    problems.add("CANCEL_REST_WITHOUT_JOIN", `cancelRest of ${name} needs join "any" or atLeast`, name);
  }
  if (timeout !== undefined) {
    problems.attempt("DURATION_INVALID", [name, "timeout"], () => durationMs(timeout, `timeout of ${name}`));
  }
  for (const [event, schema] of Object.entries(payloads)) {
    if (!isSchema(schema))
      problems.add("SCHEMA_INVALID", `event ${event} of ${name} needs a schema, or type<T>()`, name, event);
  }
}

/** What `defineStep` and its like make, and `done`. */
export function isStep(value: unknown): value is AnyStep {
  return typeof value === "object" && value !== null && "definition" in value && "name" in value;
}

function isSchema(value: unknown): value is Schema<unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}

/** That the outputs, and what lists may ask for, are steps of the workflow. */
export function checkOutput(
  { output, queryable = [] }: WorkflowDefinition,
  steps: ReadonlyMap<string, AnyStep>,
  problems: Problems,
): void {
  for (const [what, listed] of Object.entries({ output, queryable })) {
    for (const step of listed) {
      if (isStep(step) && steps.get(step.name) === step) continue;
      const name = String(step?.name);
      problems.add("OUTPUT_UNKNOWN", `${what} ${name} is not a step of the workflow`, name);
    }
  }
}

/** Each event has one payload schema in a workflow, so that early ones can be checked too. */
export function checkPayloads(steps: Iterable<AnyStep>, problems: Problems): void {
  const first = new Map<string, { readonly step: string; readonly schema: Schema<unknown> }>();
  for (const { name, definition } of steps) {
    for (const [event, schema] of Object.entries(definition.payloads ?? {})) {
      const known = first.get(event);
      if (known === undefined) first.set(event, { step: name, schema });
      else if (known.schema !== schema) {
        const message = `event ${event} has one schema at ${known.step} and another at ${name}`;
        problems.add("SCHEMA_DIFFERS", message, event, known.step, name);
      }
    }
  }
}

/** That a step's transitions are exactly its events, and lead somewhere. */
export function checkEdges(
  { name, events }: StepDefinition,
  edges: Edges["edges"] | undefined,
  problems: Problems,
): void {
  if (edges === undefined) {
    problems.add("STEP_WITHOUT_TRANSITIONS", `step ${name} has no transitions`, name);
    return;
  }
  for (const event of events) {
    if (!Object.hasOwn(edges, event)) {
      problems.add("EVENT_WITHOUT_TRANSITION", `event ${event} of ${name} has no transition`, name, event);
    }
  }
  for (const [event, target] of Object.entries(edges)) {
    const told = `the transition of ${name} for event ${event}`;
    if (!events.includes(event)) {
      problems.add("TRANSITION_WITHOUT_EVENT", `${told}, which it never emits`, name, event);
    }
    const targets = targetsOf(target);
    if (targets.length === 0) problems.add("TARGETS_MISSING", `${told} leads nowhere`, name, event);
    if (new Set(targets).size < targets.length) {
      problems.add("TARGET_DUPLICATE", `${told} names a target twice`, name, event);
    }
  }
}
