import { DONE, type Graph, type StepNode } from "../definition/graph.ts";
import type { Json, JsonText } from "../definition/json.ts";
import { type InboxItem, isActive, isOpen, isRunnable, isSettled, type RunState, takenTargets } from "./run-state.ts";
import type {
  Changes,
  CommandRecord,
  CommandType,
  Ending,
  InboxEntry,
  Owner,
  RunInfo,
  RunStatus,
  StepState,
  Timestamp,
} from "./state.ts";

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
  info: RunInfo | undefined;
  /** In the order in which they were first changed: the order of the record. */
  readonly steps = new Map<string, StepState>();
  readonly inbox = new Map<string, InboxItem>();
  readonly commands: CommandRecord[] = [];
  readonly payloads: Record<string, JsonText> = {};
  paused: boolean;
  ending: Ending | undefined;
  owner: Owner | undefined;
  status: RunStatus;
  fingerprint: string;
  active: number;
  runnable: number;
  settled: number;
  doneTaken: number;
  readonly #taken = new Map<number, number>();
  readonly #resolved = new Map<number, number>();
  readonly #left = new Set<string>();
  #hasPayloads = false;
  /** Edges that were taken or killed and whose joins are still to be looked at. */
  readonly touched: number[] = [];

  constructor(base: RunState, graph: Graph, now: Timestamp) {
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

  step(name: string): StepState | undefined {
    return this.steps.get(name) ?? this.base.steps.get(name);
  }

  node(name: string): StepNode | undefined {
    return this.graph.byName.get(name);
  }

  set(name: string, next: StepState): void {
    const before = this.step(name);
    this.active += Number(isActive(next)) - Number(isActive(before));
    this.runnable += Number(isRunnable(next)) - Number(isRunnable(before));
    if (isSettled(next) && !isSettled(before)) this.settled += 1;
    this.steps.set(name, next);
  }

  taken(index: number): number {
    return this.#taken.get(index) ?? this.base.taken[index] ?? 0;
  }

  resolved(index: number): number {
    return this.#resolved.get(index) ?? this.base.resolved[index] ?? 0;
  }

  take(index: number): void {
    this.#taken.set(index, this.taken(index) + 1);
  }

  resolve(index: number): void {
    this.#resolved.set(index, this.resolved(index) + 1);
    this.touched.push(index);
  }

  /** Counts every edge anew and has every join looked at, after steps were reset or the graph was exchanged. */
  recount(): void {
    const { graph } = this;
    const taken = graph.nodes.map((node) => Number(node.isStart));
    const resolved = [...taken];
    this.settled = 0;
    this.doneTaken = 0;
    for (const node of graph.nodes) {
      const step = this.step(node.name);
      if (step === undefined || !isSettled(step)) continue;
      this.settled += 1;
      for (const target of node.targets) resolved[target] = (resolved[target] as number) + 1;
      for (const target of takenTargets(graph, node, step)) {
        if (target === DONE) this.doneTaken += 1;
        else taken[target] = (taken[target] as number) + 1;
      }
    }
    for (const { index } of graph.nodes) {
      this.#taken.set(index, taken[index] as number);
      this.#resolved.set(index, resolved[index] as number);
      this.touched.push(index);
    }
  }

  /** The names of the steps that are active, waiting or choosing, in the order in which they became so. */
  *open(): Generator<string> {
    for (const name of this.base.open) if (isOpen(this.step(name))) yield name;
    for (const [name, step] of this.steps) if (isOpen(step) && !this.base.open.has(name)) yield name;
  }

  /** The events that no step has taken, in the order in which they came. */
  *untaken(): Generator<InboxItem> {
    for (const item of this.base.inbox.values()) if (!this.#left.has(item.id)) yield item;
    for (const item of this.inbox.values()) if (!this.#left.has(item.id)) yield item;
  }

  leaveInbox(id: string): void {
    this.#left.add(id);
  }

  accept(entry: InboxEntry, payload: JsonText | undefined): InboxItem {
    const item = { ...entry, revision: this.revision, at: this.now };
    this.inbox.set(entry.id, item);
    if (payload !== undefined) this.payload(`event:${entry.id}`, payload);
    return item;
  }

  payload(name: string, text: JsonText): void {
    this.payloads[name] = text;
    this.#hasPayloads = true;
  }

  get hasPayloads(): boolean {
    return this.#hasPayloads;
  }

  command(id: string): CommandRecord | undefined {
    return this.commands.find((command) => command.id === id) ?? this.base.commands.get(id);
  }

  remember(id: string, type: CommandType, reply?: Json): void {
    const run = this.info?.run ?? this.base.run;
    this.commands.push({ id, type, at: this.now, run, ...(reply === undefined ? {} : { reply }) });
  }

  /** The record, or undefined when nothing changed. */
  changes(): Changes | undefined {
    const { base, now } = this;
    const changes: { -readonly [Field in keyof Changes]: Changes[Field] } = { at: now };
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
    if (this.inbox.size > 0) {
      changes.inbox = [...this.inbox.values()].map(({ revision: _revision, at: _at, ...entry }) => entry);
      changed = true;
    }
    if (this.commands.length > 0) {
      changes.commands = this.commands;
      changed = true;
    }
    if (this.steps.size > 0) {
      changes.steps = Object.fromEntries(this.steps);
      changed = true;
    }
    return changed ? changes : undefined;
  }
}
