import { assert, HephaestusError } from "../definition/errors.ts";
import { DONE, DONE_NAME, type Graph, type StepNode } from "../definition/graph.ts";
import {
  type Changes,
  type CommandRecord,
  type Ending,
  type InboxEntry,
  type Owner,
  type Revision,
  type RunInfo,
  type RunStatus,
  STATE_FORMAT,
  type StepState,
  type Timestamp,
} from "./state.ts";
import { StepTable } from "./step-table.ts";

/** An accepted event that no step has taken, and where its payload stands. */
export interface InboxItem extends InboxEntry {
  readonly revision: Revision;
  readonly at: Timestamp;
}

/**
 * One instance as its records say, together with what follows from them and from the graph. It belongs to whoever
 * folds it and changes in place, so that a record costs what it holds and not what came before it; everything inside
 * that a record brought is never changed, only replaced.
 */
export interface RunState {
  readonly id: string;
  run: number;
  revision: Revision;
  /** Undefined: there is no run, or it was deleted. */
  info: RunInfo | undefined;
  /** The revision of the run's first record, in which its input stands. */
  firstRevision: Revision;
  fingerprint: string;
  status: RunStatus;
  paused: boolean;
  ending: Ending | undefined;
  owner: Owner | undefined;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  endedAt: Timestamp | undefined;
  readonly steps: StepTable;
  readonly inbox: Map<string, InboxItem>;
  readonly commands: Map<string, CommandRecord>;
  /** The steps that completed, in that order. */
  completed: string[];
  /** The steps that have something to undo, in the order in which they settled. Only kept when the graph is known. */
  effects: string[];
  /** How many of them, from the last, are undone or could not be. */
  undone: number;
  /** The steps that are active, waiting or choosing, in the order in which they became so. */
  readonly open: Set<string>;
  /** How many of them run, will be retried or are to choose. */
  active: number;
  /** How many of these wait for nothing but a driver. */
  runnable: number;
  /** What joins count. Only kept when the graph is known. */
  taken: number[];
  resolved: number[];
  settled: number;
  doneTaken: number;
}

export function emptyRun(id: string): RunState {
  return {
    id,
    run: 0,
    revision: 0,
    info: undefined,
    firstRevision: 0,
    fingerprint: "",
    status: "deleted",
    paused: false,
    ending: undefined,
    owner: undefined,
    createdAt: 0,
    updatedAt: 0,
    endedAt: undefined,
    steps: new StepTable(),
    inbox: new Map(),
    commands: new Map(),
    completed: [],
    effects: [],
    undone: 0,
    open: new Set(),
    active: 0,
    runnable: 0,
    taken: [],
    resolved: [],
    settled: 0,
    doneTaken: 0,
  };
}

const SETTLED = 4;

/**
 * Where a step stands in its life: reached (1), waiting (2), choosing (3), settled (4). It only goes forward, until a
 * retry begins another life.
 */
export function phaseOf(step: StepState | undefined): 0 | 1 | 2 | 3 | typeof SETTLED {
  switch (step?.status) {
    case undefined:
    case "idle":
      return 0;
    case "active":
      return 1;
    case "waiting":
      return 2;
    case "choosing":
      return 3;
    case "completed":
    case "skipped":
    case "cancelled":
    case "failed":
      return SETTLED;
  }
}

export function isSettled(step: StepState | undefined): boolean {
  return phaseOf(step) === SETTLED;
}

export function isOpen(step: StepState | undefined): boolean {
  const phase = phaseOf(step);
  return phase > 0 && phase < SETTLED;
}

/** Runs, will be retried, or is to choose. */
export function isActive(step: StepState | undefined): boolean {
  return step !== undefined && (step.status === "active" || step.status === "choosing");
}

/** Waits for nothing but a driver. */
export function isRunnable(step: StepState | undefined): boolean {
  return isActive(step) && step?.wakeAt === undefined;
}

/** Whether there is something to undo when the run fails: an effect that happened, or may have. */
export function hasEffect(node: StepNode, step: StepState): boolean {
  const { status } = step;
  if (status === "completed" || (status === "failed" && step.event !== undefined)) return node.compensates;
  return step.unknown === true && node.compensateUnknown && isSettled(step);
}

export function isUndone(step: StepState | undefined): boolean {
  return step?.compensation !== undefined && step.compensation.status !== "active";
}

export function isEnded(status: RunStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "deleted";
}

/** The nodes that a settled step's edges lead to, as far as they were taken; `DONE` may be among them. */
export function takenTargets(graph: Graph, node: StepNode, step: StepState): readonly number[] {
  if (step.status === "completed") {
    if (step.targets)
      return step.targets.map((name) => (name === DONE_NAME ? DONE : (graph.byName.get(name)?.index ?? DONE)));
    return node.routes.get(step.event ?? "")?.targets ?? NONE;
  }
  if (step.status === "failed" && typeof node.onFailure === "number") return [node.onFailure];
  return NONE;
}
const NONE: readonly number[] = [];

export interface Applied {
  readonly revision: Revision;
  readonly run: number;
  readonly changes: Changes;
}

/**
 * Folds one record into a state: the only way in which a state changes, live and on load alike.
 *
 * @param graph undefined for an instance whose code is not here: all but what joins count is folded
 */
export function applyRecord(state: RunState, record: Applied, graph: Graph | undefined): void {
  const { revision, run, changes } = record;
  fold(state, revision, run, changes, changes.steps, graph);
}

/** Folds what was just decided and committed, as `applyRecord` does with its record, and faster. */
export function applyDecision(state: RunState, { changes, draft }: Decided): void {
  if (changes) fold(state, draft.revision, draft.run, changes, draft.steps, draft.graph);
}

interface Decided {
  readonly changes: Changes | undefined;
  readonly draft: {
    readonly revision: Revision;
    readonly run: number;
    readonly graph: Graph;
    readonly steps: ReadonlyMap<number, StepState>;
  };
}

function fold(
  state: RunState,
  revision: Revision,
  run: number,
  changes: Changes,
  steps: Steps | undefined,
  graph: Graph | undefined,
): void {
  const { at } = changes;
  if (graph) state.steps.follow(graph);
  if (changes.run) {
    assertFormat(state.id, changes.run);
    beginRun(state, changes.run, at, graph);
    state.firstRevision = revision;
  }
  if (changes.status === "deleted") endInstance(state);
  state.run = run;
  state.revision = revision;
  state.updatedAt = at;
  if (changes.fingerprint !== undefined) state.fingerprint = changes.fingerprint;
  if (changes.paused !== undefined) state.paused = changes.paused;
  // Only where an ending was taken back is there a retry.
  const mayRetry = changes.ending !== undefined && state.ending !== undefined;
  if (mayRetry && changes.steps) forgetLives(state, changes.steps);
  if (changes.ending !== undefined) state.ending = changes.ending ?? undefined;
  if (changes.owner !== undefined) state.owner = changes.owner ?? undefined;
  if (changes.inbox) for (const entry of changes.inbox) state.inbox.set(entry.id, { ...entry, revision, at });
  if (changes.commands) for (const command of changes.commands) state.commands.set(command.id, command);
  if (steps) applySteps(state, steps, graph);
  if (mayRetry && graph) recount(state, graph);
  if (changes.fingerprint !== undefined && graph) {
    recount(state, graph);
    state.effects = effectsUnder(state, graph);
    state.undone = 0;
  }
  if (changes.status !== undefined) {
    state.status = changes.status;
    state.endedAt = isEnded(changes.status) ? at : undefined;
  }
}

/**
 * What a newer version wrote must not be guessed at: nothing is read of it, and nothing written to it.
 * @throws HephaestusError FORMAT_NEWER
 */
export function assertFormat(id: string, { format }: { readonly format: number }): void {
  if (format <= STATE_FORMAT) return;
  const message = `${id} was stored by a newer version: its format is ${format}, and this version reads up to ${STATE_FORMAT}`;
  throw new HephaestusError("FORMAT_NEWER", message, { id, format, newest: STATE_FORMAT });
}

function beginRun(state: RunState, info: RunInfo, at: Timestamp, graph: Graph | undefined): void {
  clear(state);
  if (info.commands) for (const command of info.commands) state.commands.set(command.id, command);
  state.info = info;
  state.fingerprint = info.fingerprint;
  state.createdAt = at;
  state.status = "pending";
  if (graph) countStarts(state, graph);
}

/** A tombstone holds nothing but the commands that it lists. */
function endInstance(state: RunState): void {
  clear(state);
  state.info = undefined;
  state.firstRevision = 0;
  state.fingerprint = "";
  state.createdAt = 0;
}

function clear(state: RunState): void {
  state.paused = false;
  state.ending = undefined;
  state.owner = undefined;
  state.endedAt = undefined;
  // Clearing what is empty costs as much as making it.
  state.steps.clear();
  for (const kept of [state.inbox, state.open, state.commands]) if (kept.size > 0) kept.clear();
  state.completed = [];
  state.effects = [];
  state.undone = 0;
  state.active = 0;
  state.runnable = 0;
  clearCounts(state);
}

function clearCounts(state: RunState): void {
  state.taken = [];
  state.resolved = [];
  state.settled = 0;
  state.doneTaken = 0;
}

/** Of every step's edges only those are taken that lead into the start. */
function countStarts(state: RunState, graph: Graph): void {
  state.taken = graph.startEdges.slice();
  state.resolved = graph.startEdges.slice();
}

/** In the order in which they changed: by name as a record has them, or by index as a draft does. */
type Steps = Readonly<Record<string, StepState>> | ReadonlyMap<number, StepState>;

function applySteps(state: RunState, steps: Steps, graph: Graph | undefined): void {
  const table = state.steps;
  const apply = (next: StepState, index: number): void => {
    const before = table.at(index);
    table.put(index, next);
    const from = phaseOf(before);
    const to = phaseOf(next);
    if (from !== to) {
      if (from > 0 && from < SETTLED) state.open.delete(table.nameOf(index));
      if (to > 0 && to < SETTLED) state.open.add(table.nameOf(index));
    }
    state.active += Number(isActive(next)) - Number(isActive(before));
    state.runnable += Number(isRunnable(next)) - Number(isRunnable(before));
    if (next.taken !== undefined && next.taken !== before?.taken) state.inbox.delete(next.taken);
    const again = before !== undefined && from === SETTLED && !isSameLife(before, next);
    if (to === SETTLED && (from !== SETTLED || again)) settle(state, graph, index, next);
  };
  if (steps instanceof Map) steps.forEach(apply);
  else for (const name in steps) apply((steps as Record<string, StepState>)[name] as StepState, table.placeOf(name));
  const { effects } = state;
  while (state.undone < effects.length && isUndone(table.get(effects.at(-1 - state.undone) ?? ""))) {
    state.undone += 1;
  }
}

/** Where a retry begins another life of steps, what they did in the one before is not among what was done. */
function forgetLives(state: RunState, steps: Readonly<Record<string, StepState>>): void {
  const isOver = (name: string) => {
    const before = state.steps.get(name) as StepState;
    const next = Object.hasOwn(steps, name) ? steps[name] : undefined;
    return next !== undefined && !isSameLife(before, next);
  };
  state.completed = state.completed.filter((name) => !isOver(name));
  state.effects = state.effects.filter((name) => !isOver(name));
  state.undone = 0;
}

/** Whether a settled step is still what it was, but for its compensation and the edges that it takes: it was not run anew. */
export function isSameLife(before: StepState, next: StepState): boolean {
  return before.status === next.status && before.attempt === next.attempt;
}

function settle(state: RunState, graph: Graph | undefined, index: number, step: StepState): void {
  if (step.status === "completed") state.completed.push(state.steps.nameOf(index));
  const node = graph?.nodes[index];
  if (graph === undefined || node === undefined) return;
  if (hasEffect(node, step)) state.effects.push(node.name);
  countEdges(state, graph, node, step);
}

function countEdges(state: RunState, graph: Graph, node: StepNode, step: StepState): void {
  state.settled += 1;
  for (const target of node.targets) state.resolved[target] = (state.resolved[target] as number) + 1;
  for (const target of takenTargets(graph, node, step)) {
    if (target === DONE) state.doneTaken += 1;
    else state.taken[target] = (state.taken[target] as number) + 1;
  }
}

/** Counts anew from the steps, after some were reset or the graph was exchanged. */
function recount(state: RunState, graph: Graph): void {
  clearCounts(state);
  countStarts(state, graph);
  for (const node of graph.nodes) {
    const step = state.steps.at(node.index);
    if (step && isSettled(step)) countEdges(state, graph, node, step);
  }
}

/** What can be undone under another graph than before: the order is known of what completed, and of what is undone. */
export function effectsUnder({ completed, steps }: RunState, graph: Graph): string[] {
  const names = new Set([...completed, ...graph.nodes.map(({ name }) => name)]);
  const isBegun = (name: string) => Number(steps.get(name)?.compensation !== undefined);
  return [...names]
    .filter((name) => {
      const [node, step] = [graph.byName.get(name), steps.get(name)];
      return node && step && hasEffect(node, step);
    })
    .sort((one, other) => isBegun(one) - isBegun(other));
}

/** Folds the records of one instance, in order. */
export function foldRecords(id: string, records: readonly Applied[], graph: Graph | undefined): RunState {
  const state = emptyRun(id);
  for (const record of records) {
    // Before a tombstone stands what is on its way out, perhaps in part.
    if (state.info === undefined && record.changes.run === undefined && record.changes.status !== "deleted") {
      assert(records.at(-1)?.changes.status === "deleted", `the journal of ${id} begins in the middle of a run`);
      continue;
    }
    applyRecord(state, record, graph);
  }
  return state;
}
