import { DONE, DONE_NAME, type Graph, type StepNode } from "../../definition/graph.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { Changes, StepState } from "../../engine/state.ts";
import type { Account } from "./account.ts";
import { takenBy } from "./rules-joins.ts";
import type { Life } from "./scheduler.ts";

/** What a life has for the code of an instance. */
export function codeAt({ editions }: Pick<Account, "editions">, { newer }: Life): AnyWorkflow {
  return editions.at(newer ? -1 : 0) as AnyWorkflow;
}

/** The run goes on under an edition that a life does not have. */
export function isParkedAt(account: Account, life: Life): boolean {
  return account.info !== undefined && account.workflow !== codeAt(account, life);
}

/** Parked wherever the newest edition is. */
export function isLeftBehind({ editions, workflow, info }: Account): boolean {
  return info !== undefined && workflow !== editions.at(-1);
}

/** The edition that a commit names, by its fingerprint. */
export function editionOf({ editions }: Account, { run, fingerprint }: Changes): AnyWorkflow | undefined {
  const named = run?.fingerprint ?? fingerprint;
  return named === undefined ? undefined : editions.find(({ graph }) => graph.fingerprint === named);
}

/** What a run has touched and another edition does not have; undefined when all is there. */
export function lostIn(account: Account, { graph }: AnyWorkflow): string | undefined {
  for (const [name, step] of account.steps) {
    if (step.status === "idle" || step.status === "skipped") continue;
    const lost = lostOf(account, graph, name, step);
    if (lost !== undefined) return `${lost} of ${name}`;
  }
  return undefined;
}

function lostOf(account: Account, graph: Graph, name: string, step: StepState): string | undefined {
  const node = graph.byName.get(name);
  if (node === undefined) return "all";
  const { status, event, wakeEvent, targets = [] } = step;
  if (status === "active" && node.kind !== "run") return "the code";
  if (step.compensation?.status === "active" && !canUndo(node, step)) return "the compensation";
  if (status === "failed" && node.onFailure === undefined && account.ending === undefined) return "the failure route";
  if (event !== undefined && !node.routes.has(event)) return `event ${event}`;
  if (wakeEvent !== undefined && !node.routes.has(wakeEvent)) return `event ${wakeEvent}`;
  const allowed = node.routes.get(event ?? "")?.targets ?? [];
  const chosen = targets.map((one) => (one === DONE_NAME ? DONE : graph.byName.get(one)?.index));
  if (chosen.some((one) => one === undefined || !allowed.includes(one))) return "a chosen edge";
  return status === "cancelled" || node.isStart || isLedTo(account, graph, node.index) ? undefined : "the edge";
}

function canUndo({ compensates, compensateUnknown }: StepNode, { status, event }: StepState): boolean {
  return status === "completed" || (status === "failed" && event !== undefined) ? compensates : compensateUnknown;
}

/** Some step that is settled leads there. */
function isLedTo({ steps }: Account, graph: Graph, index: number): boolean {
  const sources = graph.nodes[index]?.sources ?? [];
  return sources.some((source) => {
    const node = graph.nodes[source];
    const step = node && steps.get(node.name);
    return node !== undefined && step !== undefined && takenBy(graph, node, step).includes(index);
  });
}
