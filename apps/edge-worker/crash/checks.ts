import type { AnyWorkflow, HistoryEntry, InstanceView, StepNode } from "@hephaestus/core";
import type { Call } from "@hephaestus/dev-server";
import { findRestarts } from "../demo/witness.ts";
import type { Player, Shape } from "./shapes.ts";

/** An instance at its end, with all that is known of it. */
export interface Ended {
  readonly shape: Shape;
  readonly player: Pick<Player, "id" | "key" | "sent">;
  readonly view: InstanceView;
  readonly history: readonly HistoryEntry[];
}

/** All that is wrong with instances at their ends, by what the engine tells of them and by the witness's calls. */
export function findProblems(instances: readonly Ended[], calls: readonly Call[]): string[] {
  const byInstance = Map.groupBy(calls, ({ key }) => key.slice(0, key.lastIndexOf("/")));
  const begun = calls.filter(({ path }) => path === "/begin").map(({ at, key, path }) => ({ at, key, path }));
  return [
    ...instances.flatMap((one) => [
      ...wrongEnd(one),
      ...wrongEvents(one),
      ...wrongTimers(one),
      ...wrongCalls(one, byInstance.get(`${one.player.id}#1`) ?? []),
    ]),
    ...findRestarts(begun, instances),
  ];
}

const isEndOf = (entry: HistoryEntry, step: string): boolean =>
  entry.type === "step" && entry.step === step && entry.status === "completed" && entry.compensation === undefined;

function wrongEnd({ shape, player: { id }, view, history }: Ended): string[] {
  const problems: string[] = [];
  if (view.status !== shape.ends) {
    problems.push(`${id} ended ${view.status}, not ${shape.ends}: ${view.failedStep} ${JSON.stringify(view.error)}`);
  }
  for (const { name } of shape.workflow.graph.nodes) {
    const wanted = shape.steps?.[name] ?? "completed";
    const { status = "idle", compensation } = view.steps[name] ?? {};
    if (status !== wanted) problems.push(`${id}: step ${name} is ${status}, not ${wanted}`);
    const ends = history.filter((entry) => isEndOf(entry, name)).length;
    if (ends !== (wanted === "completed" ? 1 : 0)) problems.push(`${id}: step ${name} completed ${ends} times`);
    const undone = shape.undone?.includes(name) ? "completed" : undefined;
    if (compensation?.status !== undone) problems.push(`${id}: the compensation of ${name} is ${compensation?.status}`);
  }
  return problems;
}

/** Each event that was sent counts once, is taken, and its payload is the result of the step that took it. */
function wrongEvents({ player: { id, sent }, view, history }: Ended): string[] {
  const problems: string[] = [];
  const events = history.filter((entry) => entry.type === "event");
  for (const [commandId, event] of sent) {
    const found = events.filter((entry) => entry.id === commandId);
    if (found.length !== 1 || found[0]?.event !== event)
      problems.push(`${id}: ${commandId} counts ${found.length} times`);
    if (found.some(({ consumed }) => !consumed)) problems.push(`${id}: ${commandId} was not taken`);
    const takers = Object.values(view.steps).filter(
      ({ result }) => (result as { id?: string } | undefined)?.id === commandId,
    );
    if (takers.length !== 1) problems.push(`${id}: ${commandId} is the result of ${takers.length} steps`);
  }
  for (const { id: other } of events) if (!sent.has(other)) problems.push(`${id}: nobody sent ${other}`);
  return problems;
}

/** Each timer that was set has ended its step, not before its time. */
function wrongTimers({ shape, player: { id }, history }: Ended): string[] {
  return shape.workflow.graph.nodes.flatMap(({ name, durationMs }) => {
    if (durationMs === undefined) return [];
    const set = history.filter((entry) => entry.type === "step" && entry.step === name && entry.status === "waiting");
    const wakeAt = set.map((entry) => (entry.type === "step" ? entry.wakeAt : undefined));
    const end = history.find((entry) => isEndOf(entry, name));
    if (wakeAt.length !== 1 || wakeAt[0] === undefined) return [`${id}: timer ${name} was set ${wakeAt.length} times`];
    if (end === undefined) return [`${id}: timer ${name} never fired`];
    return end.at < wakeAt[0] ? [`${id}: timer ${name} fired ${wakeAt[0] - end.at} ms early`] : [];
  });
}

/** What the witness saw, in its order, against what must not follow what. */
function wrongCalls({ shape, player: { id }, view }: Ended, calls: readonly Call[]): string[] {
  const problems: string[] = [];
  /** The step, and what was seen of it. */
  const seen = new Set<string>();
  const followers = followersOf(shape.workflow);
  for (const { key, path } of calls) {
    const step = key.slice(key.lastIndexOf("/") + 1);
    const has = (what: string, of = step) => seen.has(`${what} ${of}`);
    if (path === "/begin") {
      if (has("/acknowledged")) problems.push(`${key} began after its end had been acknowledged`);
      for (const follower of followers.get(step) ?? []) {
        if (has("/begin", follower)) problems.push(`${key} began after ${follower}, which follows it`);
      }
    }
    if (path === "/effect" && has("/end")) problems.push(`${key} repeated its checkpoint after what followed it`);
    if (path === "/undo" && has("/undone")) problems.push(`${key} was taken back after that had been acknowledged`);
    if (path === "/undo" && !shape.undone?.includes(step)) problems.push(`${key} was taken back`);
    seen.add(`${path} ${step}`);
  }
  for (const { name, kind } of shape.workflow.graph.nodes) {
    if (kind !== "run" || view.steps[name]?.status !== "completed") continue;
    for (const path of ["/begin", "/end"]) {
      if (!seen.has(`${path} ${name}`)) problems.push(`${id}: ${name} completed, and the witness saw no ${path} of it`);
    }
  }
  return problems;
}

/** For each step all that come after it: none of them begins before its result is stored. */
function followersOf({ graph }: AnyWorkflow): ReadonlyMap<string, ReadonlySet<string>> {
  const followers = new Map<string, Set<string>>();
  const visit = (index: number): Set<string> => {
    const { name, targets } = graph.nodes[index] as StepNode;
    const known = followers.get(name);
    if (known) return known;
    const own = new Set<string>();
    followers.set(name, own);
    for (const target of targets) {
      own.add((graph.nodes[target] as StepNode).name);
      for (const further of visit(target)) own.add(further);
    }
    return own;
  };
  for (const { index } of graph.nodes) visit(index);
  return followers;
}
