/**
 * Section 3 of the design as a program: joins, dead paths, relaxed joins, choices, failure routes, events. It is the
 * specification that the engine is tested against, so it is written to be read and not to be fast: it shares no code
 * with the engine, keeps no counts, and computes everything anew from what has happened.
 */

/** A workflow as its author wrote it, and nothing derived from that. Targets are names; "done" is the end. */
export interface ModelWorkflow {
  readonly starts: readonly string[];
  readonly steps: readonly ModelStep[];
}

export interface ModelStep {
  readonly name: string;
  readonly kind: "run" | "event" | "timer";
  readonly events: { readonly [event: string]: readonly string[] };
  /** The events whose targets code chooses among. */
  readonly choices: readonly string[];
  /** A step, "done" or "skip"; undefined fails the run. */
  readonly onFailure: string | undefined;
  /** Taken edges that it needs; undefined is the join that waits for all. */
  readonly atLeast: number | undefined;
  readonly cancelRest: boolean;
}

/** What happens to a run from outside: attempts end, choices are made, events come, timers fire. */
export type ModelAction =
  | { readonly type: "outcome"; readonly step: string; readonly event: string; readonly targets?: readonly string[] }
  | { readonly type: "failure"; readonly step: string }
  | { readonly type: "pending"; readonly step: string }
  | { readonly type: "choice"; readonly step: string; readonly targets: readonly string[] }
  | { readonly type: "timer"; readonly step: string; readonly event: string }
  | { readonly type: "event"; readonly id: string; readonly event: string; readonly step?: string }
  | { readonly type: "pause" }
  | { readonly type: "unpause" };

/** unreached, or it had its turn and: is to be run, waits, has its event but no targets yet, or is settled. */
export type ModelStatus =
  | "unreached"
  | "active"
  | "waiting"
  | "choosing"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";

export interface ModelState {
  readonly status: ReadonlyMap<string, ModelStatus>;
  /** Waiting steps, the one that has waited longest first. */
  readonly waiting: readonly string[];
  /** Ids of accepted events that no step has taken, in the order in which they came. */
  readonly inbox: readonly string[];
  /** The event that each step took. */
  readonly taken: ReadonlyMap<string, string>;
  readonly outcome: "completed" | "failed" | undefined;
  /** The step that failed the run. */
  readonly failed: string | undefined;
}

/** What an event's sender is told. */
export type ModelReply = "delivered" | "queued" | "refused";

interface Arrival {
  readonly id: string;
  readonly event: string;
  readonly step: string | undefined;
}

/** One run of a workflow, as section 3 has it. */
export class ModelRun {
  readonly #workflow: ModelWorkflow;
  readonly #status = new Map<string, ModelStatus>();
  /** The targets that a completed step took. */
  readonly #took = new Map<string, readonly string[]>();
  readonly #event = new Map<string, string>();
  #waiting: string[] = [];
  #inbox: Arrival[] = [];
  readonly #taken = new Map<string, string>();
  #paused = false;
  #failed: string | undefined;

  constructor(workflow: ModelWorkflow) {
    this.#workflow = workflow;
    for (const { name } of workflow.steps) this.#status.set(name, "unreached");
    this.#follow();
  }

  state(): ModelState {
    const status = this.#status;
    const settled = this.#workflow.steps.every(({ name }) => isSettled(status.get(name)));
    const ended = this.#workflow.steps.some((step) => this.#edge(step, "done") === "taken");
    const outcome = this.#failed !== undefined ? "failed" : settled ? (ended ? "completed" : "failed") : undefined;
    const inbox = this.#inbox.map(({ id }) => id);
    return { status, waiting: this.#waiting, inbox, taken: this.#taken, outcome, failed: this.#failed };
  }

  /** Something happens, and all that follows from it. Answers what the sender of an event is told. */
  act(action: ModelAction): ModelReply | undefined {
    const reply = this.#act(action);
    this.#follow();
    return reply;
  }

  #act(action: ModelAction): ModelReply | undefined {
    switch (action.type) {
      case "outcome":
        this.#end(action.step, action.event, action.targets);
        return undefined;
      case "timer":
        this.#end(action.step, action.event, undefined);
        return undefined;
      case "choice":
        this.#end(action.step, this.#event.get(action.step) as string, action.targets);
        return undefined;
      case "failure":
        this.#fail(this.#step(action.step));
        return undefined;
      case "pending":
        this.#wait(action.step);
        return undefined;
      case "event":
        return this.#arrive({ id: action.id, event: action.event, step: action.step });
      case "pause":
        this.#paused = true;
        return undefined;
      case "unpause":
        this.#paused = false;
        // As if the events came now, one after the other.
        for (const arrival of [...this.#inbox]) {
          this.#deliver(arrival);
          this.#follow();
        }
        return undefined;
    }
  }

  /** Everything that follows by itself, one thing at a time: what dies, what starts, and last what can't start. */
  #follow(): void {
    while (this.#failed === undefined) {
      const unreached = this.#workflow.steps.filter(({ name }) => this.#status.get(name) === "unreached");
      const dead = unreached.find((step) => this.#join(step) === "dead");
      // What cancels others comes first: they might begin in the same moment.
      const ready = unreached.filter((step) => this.#join(step) === "ready");
      const next = ready.find((step) => this.#behind(step).length > 0) ?? ready[0];
      const unfilled = unreached.find((step) => this.#join(step) === "unfilled");
      if (dead) this.#status.set(dead.name, "skipped");
      else if (next) this.#start(next);
      else if (unfilled) this.#fail(unfilled);
      else return;
    }
  }

  /**
   * A step is resolved when all its in-edges are. Taken at least once: it runs. All dead: it is skipped. `any` starts
   * at the first taken edge, `atLeast` at the n-th; when n can no longer be reached although some were taken, it fails.
   */
  #join(step: ModelStep): "ready" | "dead" | "unfilled" | "open" {
    const edges = this.#workflow.steps.map((source) => this.#edge(source, step.name));
    if (this.#workflow.starts.includes(step.name)) edges.push("taken");
    const taken = edges.filter((edge) => edge === "taken").length;
    const open = edges.filter((edge) => edge === "open").length;
    if (open === 0 && taken === 0) return "dead";
    if (step.atLeast === undefined) return open === 0 ? "ready" : "open";
    if (taken >= step.atLeast) return "ready";
    return taken > 0 && taken + open < step.atLeast ? "unfilled" : "open";
  }

  /** A completed step takes the edges of its event and kills its others; whatever else settles a step kills all. */
  #edge(source: ModelStep, target: string): "none" | "open" | "taken" | "dead" {
    if (!leadsTo(source).includes(target)) return "none";
    const status = this.#status.get(source.name);
    if (!isSettled(status)) return "open";
    if (status === "completed") return this.#took.get(source.name)?.includes(target) ? "taken" : "dead";
    return status === "failed" && source.onFailure === target ? "taken" : "dead";
  }

  #start(step: ModelStep): void {
    for (const name of this.#behind(step)) {
      if (isSettled(this.#status.get(name))) continue;
      // What only has its choice to make has run: it is over, and leads nowhere any more.
      this.#status.set(name, this.#status.get(name) === "choosing" ? "completed" : "cancelled");
      this.#waiting = this.#waiting.filter((one) => one !== name);
    }
    if (step.kind === "run") this.#status.set(step.name, "active");
    else this.#wait(step.name);
  }

  /** The steps all of whose paths to `done` pass through a join that cancels them. */
  #behind(join: ModelStep): string[] {
    const names = join.cancelRest ? this.#workflow.steps.map(({ name }) => name) : [];
    return names.filter((name) => name !== join.name && !this.#endsWithout(name, join.name));
  }

  /** Whether some path from a step leads to `done` and not through another one. */
  #endsWithout(from: string, through: string): boolean {
    return leadsTo(this.#step(from)).some(
      (target) => target === "done" || (target !== through && this.#endsWithout(target, through)),
    );
  }

  #wait(name: string): void {
    this.#status.set(name, "waiting");
    this.#waiting.push(name);
    const arrival = this.#inbox.find((one) => this.#isFor(name, one));
    if (arrival && !this.#paused) this.#take(name, arrival);
  }

  #arrive(arrival: Arrival): ModelReply {
    const able = this.#workflow.steps.filter((step) => canTake(step, arrival));
    if (!able.some(({ name }) => ["unreached", "active", "waiting"].includes(this.#status.get(name) as string))) {
      return "refused";
    }
    this.#inbox.push(arrival);
    return !this.#paused && this.#deliver(arrival) ? "delivered" : "queued";
  }

  /** First come first served: it goes to the step that has waited for it longest. */
  #deliver(arrival: Arrival): boolean {
    if (!this.#inbox.includes(arrival)) return false;
    const name = this.#waiting.find((one) => this.#isFor(one, arrival));
    if (name === undefined) return false;
    this.#take(name, arrival);
    return true;
  }

  #isFor(name: string, arrival: Arrival): boolean {
    return canTake(this.#step(name), arrival);
  }

  #take(name: string, arrival: Arrival): void {
    this.#inbox = this.#inbox.filter((one) => one !== arrival);
    this.#taken.set(name, arrival.id);
    this.#end(name, arrival.event, undefined);
  }

  #end(name: string, event: string, chosen: readonly string[] | undefined): void {
    const step = this.#step(name);
    this.#waiting = this.#waiting.filter((one) => one !== name);
    this.#event.set(name, event);
    const choosing = step.choices.includes(event) && chosen === undefined;
    this.#status.set(name, choosing ? "choosing" : "completed");
    if (!choosing) this.#took.set(name, chosen ?? step.events[event] ?? []);
  }

  #fail(step: ModelStep): void {
    this.#status.set(step.name, "failed");
    if (step.onFailure === undefined) this.#failed = step.name;
  }

  #step(name: string): ModelStep {
    return this.#workflow.steps.find((step) => step.name === name) as ModelStep;
  }
}

const edges = new WeakMap<ModelStep, readonly string[]>();

/** Edges are per source: two events to one target are one edge. */
function leadsTo(step: ModelStep): readonly string[] {
  const known = edges.get(step);
  if (known) return known;
  const targets = Object.values(step.events).flat();
  if (step.onFailure !== undefined && step.onFailure !== "skip") targets.push(step.onFailure);
  const each = [...new Set(targets)];
  // The model is asked without end, and a step stays as it is.
  edges.set(step, each);
  return each;
}

function canTake(step: ModelStep, { event, step: named }: Arrival): boolean {
  if (step.kind === "timer" || (named !== undefined && named !== step.name)) return false;
  return Object.hasOwn(step.events, event) && !(step.kind === "event" && event === "timeout");
}

function isSettled(status: ModelStatus | undefined): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}
