import { DONE_NAME, type Graph, type StepNode } from "../definition/graph.ts";
import type { JsonText } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
import type { Changes, StepState, StepStatus, StoredError, Timestamp } from "../engine/state.ts";
import { type ErrorFacts, type TelemetryEvent, type TelemetryName, type Tell, teller } from "./events.ts";

/** What a record does not say of itself. */
export interface CommitContext {
  /** As it was before: ask before the record is folded. */
  readonly state: RunState;
  readonly graph: Graph;
  /** The kind of the runner: "local", "durable-object". */
  readonly runner: string;
  /** When the commit was acknowledged. */
  readonly now: Timestamp;
  /** Of a run that starts: its keys are told. */
  readonly input?: JsonText | undefined;
  /** How long the last attempt of a step ran, in milliseconds, where the driver saw it. */
  readonly attemptMs?: (step: string) => number | undefined;
}

/**
 * What one committed record tells, in the order in which it happened. Whoever wrote the record tells of it, and nobody
 * else who reads it: then each transition is told once, or not at all when its writer dies before it can.
 *
 * @param wants which events are made at all
 */
export function eventsOfCommit(
  context: CommitContext,
  changes: Changes,
  wants: (name: TelemetryName) => boolean = () => true,
): readonly TelemetryEvent[] {
  const { state, graph, runner, now } = context;
  const { at, steps = {} } = changes;
  const info = changes.run ?? state.info;
  if (info === undefined) return [];
  // What the state says of the run before is not about this one.
  const base = changes.run ? undefined : state;
  const events: TelemetryEvent[] = [];
  const tell = teller(events, { id: state.id, info, at }, wants);

  if (changes.run && wants("workflow:start")) {
    const initialSteps = graph.starts.map((index) => nameOf(graph, index));
    tell("workflow:start", {}, { initialSteps, contextKeys: keysOf(context.input), runner });
  }
  let activeSteps = base?.open.size ?? 0;
  let completedSteps = 0;
  for (const [name, after] of Object.entries(steps)) {
    const before = base?.steps.get(name);
    const node = graph.byName.get(name);
    activeSteps += Number(isOpen(after.status)) - Number(isOpen(before?.status));
    if (after.status === "completed" && before?.status !== "completed") completedSteps += 1;
    if (node) tellStep(tell, context, at, node, before, after);
  }
  const iteration = base ? base.revision - base.firstRevision + 2 : 1;
  const statusBefore = base?.status ?? "pending";
  const status = changes.status ?? statusBefore;
  const told = { statusBefore, statusAfter: status, iteration };
  tell("engine:advance", { durationMs: Math.max(0, now - at), activeSteps, completedSteps }, told);

  // A retry may fail again at once: then the status is what it was.
  const ended = changes.status !== undefined || changes.ending;
  if (ended && (status === "completed" || status === "failed" || status === "cancelled")) {
    const names = new Set([...(base?.completed ?? []), ...Object.keys(steps)]);
    const completed = [...names].filter((name) => (steps[name] ?? base?.steps.get(name))?.status === "completed");
    const durationMs = at - (base?.createdAt ?? at);
    const measured = { durationMs, stepCount: completed.length, advanceCount: iteration };
    const ending = changes.ending === undefined ? base?.ending : changes.ending;
    if (status === "completed") tell("workflow:stop", measured, { completedSteps: completed, runner });
    else if (status === "cancelled") tell("workflow:cancel", measured, { completedSteps: completed, runner });
    else tell("workflow:exception", measured, { failedStep: ending?.step, ...factsOf(ending?.error), runner });
  }
  return events;
}

function tellStep(
  tell: Tell,
  { graph, attemptMs }: CommitContext,
  at: Timestamp,
  node: StepNode,
  before: StepState | undefined,
  after: StepState,
): void {
  // A settled step of another attempt was reset: what comes now is another life of it.
  const from = isSettled(before?.status) && attemptOf(before) !== attemptOf(after) ? undefined : before;
  const was = from?.status ?? "idle";
  const { status } = after;
  const step = node.name;
  const facts = { step, attempt: attemptOf(from ?? after) };
  const took = () => ({ durationMs: attemptMs?.(step) });
  const rose = (count: "failures" | "interruptions") => (after[count] ?? 0) > (from?.[count] ?? 0);
  const failed = rose("failures") || (status === "failed" && was !== "failed");
  const ended = status === "completed" || status === "choosing";
  const external = after.taken !== undefined && after.taken !== from?.taken;
  const resumed = external || (ended && (was === "waiting" || was === "idle"));
  const { event = "" } = after;

  // What completed while its run was ending took no edges then: after a retry it does.
  const retaken = from?.targets?.length === 0 && after.targets?.length !== 0;
  const moved = isSettled(status) && (was !== status || retaken);
  const targets = moved ? targetsOf(graph, node, after) : [];

  // With nothing in between where it got its event at once.
  if ((status === "waiting" || resumed) && was !== "waiting") {
    tell("step:async", took(), { ...facts, wakeAt: after.wakeAt });
  }
  if (failed) {
    tell("step:exception", took(), { ...facts, ...factsOf(after.error), willRetry: status === "active" });
  } else if (resumed) {
    const waitDurationMs = was !== "waiting" ? 0 : from?.startedAt === undefined ? undefined : at - from.startedAt;
    tell("step:resume", { waitDurationMs }, { ...facts, event, source: external ? "external" : "timeout" });
  } else if (ended && was === "active") {
    const durationMs = took().durationMs ?? at - (after.startedAt ?? at);
    tell("step:stop", { durationMs }, { ...facts, event, transitionsTo: targets });
  } else if (status === "cancelled" && (was === "active" || was === "waiting")) {
    tell("step:cancel", took(), facts);
  }
  if (was === "active" && status === "active" && attemptOf(after) > facts.attempt) {
    const reason = failed ? "failure" : rose("interruptions") ? "interruption" : "handback";
    const delayMs = Math.max(0, (after.wakeAt ?? at) - at);
    tell("step:retry", { delayMs }, { step, attempt: attemptOf(after), reason });
  }
  if (targets.length > 0) {
    const told = { fromStep: step, event: status === "failed" ? undefined : event, targets };
    tell("workflow:transition", { targetCount: targets.length }, { ...told, fanOut: targets.length > 1 });
  }
  tellCompensation(tell, step, from, after);
}

function tellCompensation(tell: Tell, step: string, from: StepState | undefined, { compensation }: StepState): void {
  const before = from?.compensation;
  if (compensation === undefined) return;
  const { status, attempt = 1, failures = 0, error } = compensation;
  if (before !== undefined && before.status === status && (before.attempt ?? 1) === attempt) return;
  const reason = status === "completed" ? undefined : error?.message;
  tell("step:compensate", { failures }, { step, attempt, status, reason });
}

function attemptOf(step: StepState | undefined): number {
  return step?.attempt ?? 1;
}

function isOpen(status: StepStatus | undefined): boolean {
  return status === "active" || status === "waiting" || status === "choosing";
}

function isSettled(status: StepStatus | undefined): boolean {
  return status !== undefined && status !== "idle" && !isOpen(status);
}

/** The names of what a settled step leads to. */
function targetsOf(graph: Graph, node: StepNode, { status, event = "", targets }: StepState): readonly string[] {
  if (status === "failed") return typeof node.onFailure === "number" ? [nameOf(graph, node.onFailure)] : [];
  if (status !== "completed") return [];
  return targets ? [...targets] : (node.routes.get(event)?.targets ?? []).map((index) => nameOf(graph, index));
}

function nameOf(graph: Graph, index: number): string {
  return graph.nodes[index]?.name ?? DONE_NAME;
}

function keysOf(input: JsonText | undefined): readonly string[] {
  const value: unknown = input === undefined ? undefined : JSON.parse(input);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

const KINDS: { readonly [code: string]: ErrorFacts["kind"] } = {
  STEP_TIMEOUT: "timeout",
  MAX_INTERRUPTIONS: "interruption",
};

function factsOf(error: StoredError | undefined): ErrorFacts {
  const { message = "", code, stack } = error ?? {};
  return { kind: KINDS[code ?? ""] ?? "error", reason: message, code, stack };
}
