import { DONE, DONE_NAME, type Graph, type StepNode } from "../../definition/graph.ts";
import type { RunStatus, StepState } from "../../engine/state.ts";
import { type ModelAction, ModelRun, type ModelState } from "../model.ts";
import { type Account, isOpenStep, isOver, isRunnableStep, isSettledStep, type Settled } from "./account.ts";
import { type Coverage, meet } from "./coverage.ts";
import { hold } from "./violation.ts";

type Edge = "open" | "taken" | "dead";

/** Where the edges of a step lead that were taken. */
export function takenBy(graph: Graph, node: StepNode, step: StepState): readonly number[] {
  if (step.status === "failed") return typeof node.onFailure === "number" ? [node.onFailure] : [];
  if (step.status !== "completed") return [];
  if (step.targets === undefined) return node.routes.get(step.event ?? "")?.targets ?? [];
  return step.targets.map((name) => (name === DONE_NAME ? DONE : (graph.byName.get(name)?.index ?? DONE)));
}

function edge(account: Account, source: StepNode, target: number): Edge {
  const step = account.steps.get(source.name);
  if (!isSettledStep(step)) return "open";
  return takenBy(account.workflow.graph, source, step as StepState).includes(target) ? "taken" : "dead";
}

/**
 * Looks at all steps as they stand after a commit: whoever started had its join filled, whoever did not could not, and
 * whoever was skipped or cancelled had to be. Nothing depends on what happened in which order. @throws Violation
 */
export function checkJoins(account: Account): void {
  const { graph } = account.workflow;
  if (account.ending !== undefined || account.info === undefined || isOver(account.status)) return;
  const touched = account.adoption?.touched;
  for (const node of graph.nodes) if (!touched?.has(node.name)) checkJoin(account, graph, node);
}

function checkJoin(account: Account, graph: Graph, node: StepNode): void {
  const step = account.steps.get(node.name);
  const status = step?.status ?? "idle";
  let taken = Number(node.isStart);
  let open = 0;
  for (const source of node.sources) {
    const one = edge(account, graph.nodes[source] as StepNode, node.index);
    if (one === "taken") taken += 1;
    else if (one === "open") open += 1;
  }
  const needed = node.atLeast;
  const ready = needed === undefined ? open === 0 && taken > 0 : taken >= needed;
  const unfilled = needed !== undefined && taken > 0 && taken + open < needed;
  const what = () => {
    const label = `${account.id}#${account.run}/${node.name} at revision ${account.revision}`;
    return `${label} is ${status} with ${taken} edges taken and ${open} open, needing ${needed ?? "all"}`;
  };
  if (status === "idle") {
    hold(!ready && !unfilled && (open > 0 || taken > 0), "joins", what);
  } else if (status === "skipped") {
    hold(open === 0 && taken === 0, "joins", what);
  } else if (status === "cancelled") {
    const started = graph.nodes.some((join) => join.cancels.includes(node.index) && hasStarted(account, join));
    hold(started, "joins", what);
  } else if (status === "failed" && step?.error?.code === "JOIN_UNFILLED") {
    hold(unfilled, "joins", what);
  } else {
    hold(ready, "joins", what);
  }
}

function hasStarted(account: Account, node: StepNode): boolean {
  const step = account.steps.get(node.name);
  if (step === undefined || step.status === "idle" || step.status === "skipped") return false;
  return step.status !== "cancelled";
}

/** The status is what the steps say. @throws Violation */
export function checkStatus(account: Account): void {
  const { graph } = account.workflow;
  const { status, ending, info } = account;
  if (info === undefined || status === "deleted") return;
  const expected = statusOf(account, graph);
  hold(expected === status, "joins", () => {
    return `${account.id}#${account.run} is ${status} at revision ${account.revision}, and its steps say ${expected}`;
  });
  if (ending && isOver(status)) checkUndone(account);
}

function statusOf(account: Account, graph: Graph): RunStatus {
  const { ending, steps, paused, status } = account;
  if (ending) {
    const open = [...steps.values()].some(isOpenStep);
    const undoing = [...steps.values()].some((step) => step.compensation?.status === "active");
    if (open || undoing) return "compensating";
    // Between two compensations nothing shows but the status.
    return status === ending.outcome ? ending.outcome : "compensating";
  }
  if (graph.nodes.every((node) => isSettledStep(steps.get(node.name)))) {
    const done = graph.nodes.some((node) => takenBy(graph, node, steps.get(node.name) as StepState).includes(DONE));
    return done ? "completed" : "failed";
  }
  if (paused) return "paused";
  return [...steps.values()].some((step) => step.status === "active" || step.status === "choosing")
    ? "running"
    : "waiting";
}

/** A run that ends otherwise than by completing has undone all it did, the last first. */
function checkUndone(account: Account): void {
  for (const node of account.workflow.graph.nodes) {
    const step = account.steps.get(node.name);
    if (step?.status !== "completed" || !node.compensates) continue;
    const { compensation } = step;
    hold(compensation !== undefined && compensation.status !== "active", "compensation", () => {
      return `${account.id}#${account.run} ended ${account.status} and ${node.name} is not undone`;
    });
  }
}

/** What is undone is undone in reverse: nothing that settled later has an effect left. @throws Violation */
export function checkOrderOfUndoing(account: Account, changed: Iterable<string>): void {
  for (const name of changed) {
    const step = account.steps.get(name);
    if (step?.compensation === undefined) continue;
    const open = [...account.steps].find(([, one]) => isOpenStep(one));
    hold(open === undefined, "compensation", () => `${account.id}/${name} is undone while ${open?.[0]} is open`);
    if (account.adoption?.undoing === name) continue;
    const own = account.settled.findLastIndex((one) => one.step === name);
    for (const later of account.settled.slice(own + 1)) {
      const node = account.workflow.graph.byName.get(later.step);
      const state = account.steps.get(later.step);
      if (!node?.compensates || state?.status !== "completed") continue;
      // Of what did not complete another edition does not know when it ended.
      if (account.adoption && account.steps.get(name)?.status !== "completed") continue;
      // One that is to be undone again waits for its turn.
      const now = step.compensation.status === "active" ? state.compensation !== undefined : isUndone(state);
      hold(now, "compensation", () => `${account.id}/${name} is undone before ${later.step}, which ended after it`);
    }
  }
}

function isUndone({ compensation }: StepState): boolean {
  return compensation !== undefined && compensation.status !== "active";
}

/** When the account says that somebody must look at it, and by when. Undefined: only a client can bring it on. */
export function wakeOf(account: Account): number | undefined {
  if (isOver(account.status)) return undefined;
  const steps = [...account.steps.values()];
  if (account.ending) {
    const times = steps.flatMap(({ compensation }) =>
      compensation?.status === "active" && compensation.wakeAt !== undefined ? [compensation.wakeAt] : [],
    );
    return times.length > 0 ? Math.min(...times) : 0;
  }
  if (steps.some(isRunnableStep)) return 0;
  const times = account.paused ? [] : steps.flatMap((step) => (isOpenStep(step) && step.wakeAt ? [step.wakeAt] : []));
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** Counts how joins were met in a run. */
export function meetJoins(account: Account, coverage: Coverage): void {
  for (const node of account.workflow.graph.nodes) {
    const step = account.steps.get(node.name);
    if (node.inDegree < 2 || step === undefined || step.status === "idle") continue;
    if (step.status === "skipped") meet(coverage, "joins", "skipped");
    else if (step.error?.code === "JOIN_UNFILLED") meet(coverage, "joins", "unfilled");
    else if (step.status !== "cancelled") meet(coverage, "joins", kindOf(node));
  }
}

function kindOf(node: StepNode): string {
  const kind = node.atLeast === undefined ? "all" : node.atLeast === 1 ? "any" : "atLeast";
  return node.cancels.length > 0 ? `${kind}+cancelRest` : kind;
}

/**
 * Lets the naive model play the outcomes that the journal has, in the order in which it has them, and compares which
 * steps ran, were skipped and were cancelled. What was adopted is left out: the model knows of one graph, and what began
 * under the other has edges that it does not have. @throws Violation
 */
export function compareWithModel(account: Account): void {
  if (account.retried || account.adoption || account.status !== "completed" || mayHaveEscaped(account)) return;
  const run = new ModelRun(account.model);
  let left: Settled[] = account.settled.filter(
    ({ state }) => state.status === "completed" || state.status === "failed",
  );
  for (let before = -1; left.length !== before; ) {
    before = left.length;
    left = left.filter((settled) => !play(run, settled));
  }
  const state = run.state();
  // What was outrun after its event had come counts as completed for the engine, and was cancelled for the model.
  const line = (name: string, status: string | undefined) => {
    return `${name} ${account.steps.get(name)?.outrun === true ? "outrun" : status}`;
  };
  const expected = [...state.status].map(([name, status]) => line(name, status)).sort();
  const found = [...state.status.keys()].map((name) => line(name, account.steps.get(name)?.status)).sort();
  hold(expected.join() === found.join(), "joins", () => {
    return `${account.id}#${account.run} completed with ${found.join(", ")}; the model has ${expected.join(", ")}`;
  });
}

/**
 * Whether a step may have taken an early event in the moment in which it was reached, before a join began that cancels
 * it, or before one was given up that its edge helps to go on: the model is told of ends only, one after the other, and
 * would have the step cancelled, or the run failed.
 */
function mayHaveEscaped({ steps, workflow: { graph } }: Account): boolean {
  const cancelled = new Set(graph.nodes.flatMap(({ cancels }) => cancels));
  const gives = graph.nodes.some(({ atLeast = 0 }) => atLeast > 1);
  return graph.nodes.some(({ index, name }) => {
    const { taken, takenAt } = steps.get(name) ?? {};
    return taken !== undefined && (cancelled.has(index) || (gives && takenAt !== undefined));
  });
}

/** @returns whether its turn had come */
function play(run: ModelRun, { step, state }: Settled): boolean {
  const now = run.state() as ModelState;
  const status = now.status.get(step);
  if (status === "failed" || status === "completed" || status === "cancelled") return status === state.status;
  if (status !== "active" && status !== "waiting" && status !== "choosing") return false;
  const action: ModelAction =
    state.status === "failed"
      ? { type: "failure", step }
      : {
          type: "outcome",
          step,
          event: state.event as string,
          ...(state.targets === undefined ? {} : { targets: state.targets }),
        };
  run.act(action);
  return true;
}
