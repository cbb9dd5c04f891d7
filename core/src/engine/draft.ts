import { DONE, type Graph, type StepNode } from "../definition/graph.ts";
import type { Json, JsonText } from "../definition/json.ts";
import {
  hasEffect,
  type InboxItem,
  isActive,
  isEnded,
  isOpen,
  isRunnable,
  isSameLife,
  isSettled,
  phaseOf,
  type RunState,
  takenTargets,
} from "./run-state.ts";
import type {
  Changes,
  CommandRecord,
  CommandType,
  Ending,
  Owner,
  RunInfo,
  RunStatus,
  StepState,
  Timestamp,
} from "./state.ts";

/** How many of a step's in-edges were taken, and how many are resolved. */
interface JoinCount {
  taken: number;
  resolved: number;
}

/**
 * What the commands of one commit change, on top of a state that stays as it is until the commit is acknowledged.
 * Reading sees the changes; `changes()` is the record.
 */
export class Draft {
  readonly base: RunState;
  readonly graph: Graph;
  readonly now: Timestamp;
  /** The revision that the commit will have. */
  readonly revision: number;
  info: RunInfo | undefined = undefined;
  /** The steps that change, by index, in the order in which they reached the phase that they are in: as in the record. */
  readonly steps = new Map<number, StepState>();
  paused: boolean;
  ending: Ending | undefined;
  owner: Owner | undefined;
  status: RunStatus;
  fingerprint: string;
  active: number;
  runnable: number;
  settled: number;
  doneTaken: number;
  /** Steps whose edges were taken or killed, and whose joins are still to be looked at. */
  touched: number[] = [];
  /** What had been done before and can be undone, as an adopted graph says: the one before did not, or was not here. */
  regained: readonly string[] | undefined = undefined;
  /** A runner is to look at it then, whatever its timers and its owner say. */
  lookAt: Timestamp | undefined = undefined;
  /** What was undone, or could not be, may have to be undone once more. */
  redo = false;
  // Most commits need few of these: each is made when it is first written to.
  #joins: Map<number, JoinCount> | undefined = undefined;
  #inbox: Map<string, InboxItem> | undefined = undefined;
  #left: Set<string> | undefined = undefined;
  #commands: Map<string, CommandRecord> | undefined = undefined;
  #payloads: Record<string, JsonText> | undefined = undefined;

  constructor(base: RunState, graph: Graph, now: Timestamp) {
    base.steps.follow(graph);
    this.base = base;
    this.graph = graph;
    this.now = now;
    this.revision = base.revision + 1;
    this.paused = base.paused;
    this.ending = base.ending;
    this.owner = base.owner;
    this.status = base.status;
    this.fingerprint = base.fingerprint;
    this.active = base.active;
    this.runnable = base.runnable;
    this.settled = base.settled;
    this.doneTaken = base.doneTaken;
  }

  /** The number of the run that is being changed. */
  get run(): number {
    return this.info?.run ?? this.base.run;
  }

  /** When the run ended: now, if this is what ends it. */
  get endedAt(): Timestamp | undefined {
    if (!isEnded(this.status)) return undefined;
    return this.status === this.base.status ? this.base.endedAt : this.now;
  }

  step(name: string): StepState | undefined {
    return this.at(this.base.steps.indexOf(name));
  }

  /** The state of the step of this index. */
  at(index: number): StepState | undefined {
    return this.steps.get(index) ?? this.base.steps.at(index);
  }

  /** Whether an attempt of the step as it stands may have begun: what only this commit puts there has not. */
  mayHaveBegun(index: number): boolean {
    const step = this.at(index);
    const before = this.base.steps.at(index);
    return isRunnable(step) && isRunnable(before) && (step?.attempt ?? 1) === (before?.attempt ?? 1);
  }

  node(name: string): StepNode | undefined {
    return this.graph.byName.get(name);
  }

  set(name: string, next: StepState): void {
    this.put(this.base.steps.indexOf(name), next);
  }

  /** Puts the step of this index into another state. */
  put(index: number, next: StepState): void {
    const own = this.steps.get(index);
    const before = own ?? this.base.steps.at(index);
    this.active += Number(isActive(next)) - Number(isActive(before));
    this.runnable += Number(isRunnable(next)) - Number(isRunnable(before));
    if (phaseOf(next) !== phaseOf(before)) {
      if (isSettled(next)) this.settled += 1;
      if (own !== undefined) this.steps.delete(index);
    }
    this.steps.set(index, next);
  }

  taken(index: number): number {
    return this.#joins?.get(index)?.taken ?? this.base.taken[index] ?? 0;
  }

  resolved(index: number): number {
    return this.#joins?.get(index)?.resolved ?? this.base.resolved[index] ?? 0;
  }

  #join(index: number): JoinCount {
    this.#joins ??= new Map();
    let join = this.#joins.get(index);
    if (join === undefined) {
      join = { taken: this.base.taken[index] ?? 0, resolved: this.base.resolved[index] ?? 0 };
      this.#joins.set(index, join);
    }
    return join;
  }

  take(index: number): void {
    this.#join(index).taken += 1;
  }

  resolve(index: number): void {
    this.#join(index).resolved += 1;
    this.touched.push(index);
  }

  /** Counts every edge anew and has every join looked at, after steps were reset or the graph was exchanged. */
  recount(): void {
    const { graph } = this;
    this.settled = 0;
    this.doneTaken = 0;
    for (const { index, isStart } of graph.nodes) {
      Object.assign(this.#join(index), { taken: Number(isStart), resolved: Number(isStart) });
      this.touched.push(index);
    }
    for (const node of graph.nodes) {
      const step = this.at(node.index);
      if (step === undefined || !isSettled(step)) continue;
      this.settled += 1;
      for (const target of node.targets) this.#join(target).resolved += 1;
      for (const target of takenTargets(graph, node, step)) {
        if (target === DONE) this.doneTaken += 1;
        else this.take(target);
      }
    }
  }

  /** The names of the steps that are active, waiting or choosing, in the order in which they became so. */
  *open(): Generator<string> {
    const { base, steps } = this;
    for (const name of base.open) {
      const index = base.steps.indexOf(name);
      const step = steps.get(index);
      if (step === undefined || phaseOf(step) === phaseOf(base.steps.at(index))) yield name;
    }
    for (const [index, step] of steps) {
      if (isOpen(step) && phaseOf(step) !== phaseOf(base.steps.at(index))) yield base.steps.nameOf(index);
    }
  }

  /** The steps that have something to undo, the last one first; some that are undone are left out. */
  *effects(): Generator<string> {
    const { base, graph, steps } = this;
    const isAsBefore = (index: number, step: StepState) => {
      const before = base.steps.at(index);
      return before !== undefined && isSettled(before) && isSameLife(before, step);
    };
    for (const [index, step] of [...steps].reverse()) {
      const node = graph.nodes[index];
      if (node && hasEffect(node, step) && !isAsBefore(index, step)) yield node.name;
    }
    const before = this.regained ?? base.effects;
    for (let last = before.length - 1 - (this.redo || this.regained ? 0 : base.undone); last >= 0; last--) {
      const name = before[last] as string;
      const index = base.steps.indexOf(name);
      const step = steps.get(index);
      if (step === undefined || isAsBefore(index, step)) yield name;
    }
  }

  /** The events that no step has taken, in the order in which they came. */
  *untaken(): Generator<InboxItem> {
    for (const item of this.base.inbox.values()) if (!this.hasLeft(item)) yield item;
    for (const item of this.#inbox?.values() ?? []) if (!this.hasLeft(item)) yield item;
  }

  get untakenCount(): number {
    return this.base.inbox.size + (this.#inbox?.size ?? 0) - (this.#left?.size ?? 0);
  }

  leaveInbox({ id }: InboxItem): void {
    this.#left ??= new Set();
    this.#left.add(id);
  }

  hasLeft({ id }: InboxItem): boolean {
    return this.#left?.has(id) ?? false;
  }

  accept(item: InboxItem, payload: JsonText | undefined): void {
    this.#inbox ??= new Map();
    this.#inbox.set(item.id, item);
    if (payload !== undefined) this.payload(`event:${item.id}`, payload, true);
  }

  /** @param isUnique whether other commits have none of this name: it has an id in it, or what user code calls it */
  payload(name: string, text: JsonText, isUnique = false): void {
    const isShaped = !isUnique && this.graph.nodes.length <= SHAPED_GRAPH_MAX;
    this.#payloads ??= isShaped ? {} : emptyRecord();
    this.#payloads[name] = text;
  }

  get payloads(): Readonly<Record<string, JsonText>> | undefined {
    return this.#payloads;
  }

  command(id: string): CommandRecord | undefined {
    return this.#commands?.get(id) ?? this.base.commands.get(id);
  }

  record(command: CommandRecord): void {
    this.#commands ??= new Map();
    this.#commands.set(command.id, command);
  }

  remember(id: string, type: CommandType, reply?: Json): void {
    this.record({ id, type, at: this.now, run: this.run, ...(reply === undefined ? {} : { reply }) });
  }

  /** The record, or undefined when nothing changed. */
  changes(): Changes | undefined {
    const { base } = this;
    // An empty literal has places for the few fields that most records have; one with a field grows a table for others.
    const changes = {} as { -readonly [Field in keyof Changes]: Changes[Field] };
    changes.at = this.now;
    let changed = false;
    if (this.info) {
      changes.run = this.info;
      changed = true;
    }
    if (this.fingerprint !== base.fingerprint && !this.info) {
      changes.fingerprint = this.fingerprint;
      changed = true;
    }
    if (this.status !== base.status) {
      changes.status = this.status;
      changed = true;
    }
    if (this.paused !== base.paused) {
      changes.paused = this.paused;
      changed = true;
    }
    if (this.ending !== base.ending) {
      changes.ending = this.ending ?? null;
      changed = true;
    }
    if (this.owner !== base.owner) {
      changes.owner = this.owner ?? null;
      changed = true;
    }
    if (this.#inbox) {
      changes.inbox = [...this.#inbox.values()].map(({ revision: _revision, at: _at, ...entry }) => entry);
      changed = true;
    }
    if (this.#commands) {
      changes.commands = [...this.#commands.values()];
      changed = true;
    }
    if (this.steps.size > 0) {
      changes.steps = this.#stepsByName();
      changed = true;
    }
    return changed ? changes : undefined;
  }

  #stepsByName(): Record<string, StepState> {
    const { base, graph, steps } = this;
    const isShaped = steps.size <= SHAPED_STEPS_MAX && graph.nodes.length <= SHAPED_GRAPH_MAX;
    const byName: Record<string, StepState> = isShaped ? {} : emptyRecord();
    steps.forEach((step, index) => {
      byName[base.steps.nameOf(index)] = step;
    });
    return byName;
  }
}

/** Up to so many steps in a record, of a graph with up to so many: then few objects differ in shape. */
const SHAPED_STEPS_MAX = 4;
const SHAPED_GRAPH_MAX = 100;

/**
 * An object that is a hash table from the start: objects whose keys are names of steps would each get a shape of their
 * own, and making those would cost more than all the rest of a transition.
 */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null);
}
