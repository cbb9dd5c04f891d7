import type { ModelStep } from "../model.ts";

/** Where a worker touches the world outside it: each touch is an item that the loop picks, and a place for a fault. */
const PORTS = [
  "commit",
  "load",
  "payloads",
  "due",
  "query",
  "remove",
  "owner",
  "watch",
  "timer",
  "step",
  "client",
] as const;
export type Port = (typeof PORTS)[number];

/** Ports, and the world itself, by their numbers: chance is drawn from these. */
export const PORT_NUMBERS = {
  ...(Object.fromEntries(PORTS.map((port, index) => [port, index])) as Record<Port, number>),
  world: 99,
};

/** What can go wrong, and at which ports. */
export const FAULT_PORTS = {
  /** The process is gone before the call has an effect. */
  "crash-before": ["commit", "load", "payloads", "due", "timer", "step", "client"],
  /** The process is gone after it. */
  "crash-after": ["commit", "load", "step"],
  /** Of a group of commits some are made, and the caller is told of an error. */
  "torn-group": ["commit"],
  /** The call has its effect, and the caller is told of an error. */
  "lost-answer": ["commit", "remove"],
  /** The call has no effect, and the caller is told of an error. */
  refused: ["commit", "load", "payloads", "due", "query", "remove", "owner"],
  /** The call has its effect late. */
  "stall-before": ["commit", "load", "payloads", "due", "timer", "watch"],
  /** The answer comes late. */
  "stall-after": ["commit", "load", "payloads", "due"],
  /** The storage has no room for a while. */
  full: ["commit"],
  /** The process stands still for a while: it answers nothing, and wakes up later as if nothing had been. */
  freeze: ["commit", "load", "timer", "step", "client"],
  /** The worker's clock jumps. */
  "clock-jump": ["commit", "timer", "step", "client"],
  /** The lock of a worker that lives is taken for that of a dead one. */
  "stolen-lock": ["owner"],
  "lost-watch": ["watch"],
  "slow-step": ["step"],
  "step-error": ["step"],
  /** The worker is closed in good order, and started again. */
  close: ["client", "timer"],
  /** The client sends its command twice at once, the second time to another worker. */
  duplicate: ["client"],
} as const satisfies Readonly<Record<string, readonly Port[]>>;

export type FaultKind = keyof typeof FAULT_PORTS;
export const FAULT_KINDS = Object.keys(FAULT_PORTS) as readonly FaultKind[];

/** The nth touch of a port by a worker in its nth life goes wrong. */
export interface Fault {
  readonly worker: number;
  readonly generation: number;
  readonly port: Port;
  readonly nth: number;
  readonly kind: FaultKind;
  /** How long a stall, a freeze, a full storage or the time until the next start lasts; how far a clock jumps. */
  readonly ms: number;
}

/** What a client does. Steps and events are named by their place, so that a plan fits any workflow. */
export type Action =
  | { readonly type: "start" }
  | { readonly type: "restart" }
  | { readonly type: "event"; readonly event: number; readonly step?: number }
  | { readonly type: "schedule"; readonly step: number; readonly event: number; readonly delayMs: number }
  | { readonly type: "pause" | "unpause" | "cancel" | "retry" | "delete" | "adopt" }
  | { readonly type: "get" | "history" | "list" | "result" }
  /** Whatever fits how the instance stands then. */
  | { readonly type: "fitting"; readonly pick: number }
  /** The command of an earlier operation once more, with its id. */
  | { readonly type: "again"; readonly of: string };

export interface Operation {
  /** The id of its command. */
  readonly id: string;
  /** Virtual milliseconds after the operation before. */
  readonly afterMs: number;
  readonly worker: number;
  readonly instance: number;
  readonly action: Action;
  /** Whether the client sends it again, with the same id, when it does not hear what became of it. */
  readonly insists: boolean;
}

/** A step of a random workflow: what the model knows of it, and how its code behaves. */
export interface PlannedStep extends ModelStep {
  readonly retry: {
    readonly maxAttempts: number;
    readonly backoff: "exponential" | "linear" | "constant";
    readonly initialMs: number;
    readonly maxMs: number;
  };
  readonly timeoutMs?: number;
  /** The length of a wait, or of the time that an event is waited for. */
  readonly durationMs: number;
  readonly compensates: boolean;
  readonly unknownToo: boolean;
  readonly checkpoints: boolean;
  readonly sees: readonly string[];
}

/** How often the code of random steps behaves badly: probabilities. */
export interface Behaviour {
  readonly fails: number;
  readonly failsForGood: number;
  readonly pends: number;
  /** Never answers; only steps with a timeout do. */
  readonly hangs: number;
  readonly emitsUndeclared: number;
  readonly choosesBadly: number;
  /** Whether choices depend on the input of the run too. */
  readonly choosesByInput?: boolean;
  readonly compensationFails: number;
}

export interface PlannedWorkflow {
  readonly name: string;
  readonly starts: readonly string[];
  readonly steps: readonly PlannedStep[];
  readonly behaviour: Behaviour;
  /** How long an ended instance is kept; for ever unless said. */
  readonly retentionMs?: number;
}

export interface Settings {
  readonly workers: number;
  readonly instances: number;
  readonly leaseMs: number;
  readonly sweepMs: number;
  /** Steps that run at once in a worker. */
  readonly concurrency: number;
  /** Whether the storage tells of changes. */
  readonly watch: boolean;
  /** Whether the storage knows which owners are dead. */
  readonly locks: boolean;
  /** Whether the client listens to changes. */
  readonly subscribes: boolean;
  /** How far each worker's clock is from the true time, in milliseconds. */
  readonly skewsMs: readonly number[];
  /** How often a touch of a port takes time, and how long at most. */
  readonly slowCalls: number;
  readonly slowCallMs: number;
  /** How long the code of a step may work before it calls anything; none does unless said. */
  readonly stepMs?: number;
  /** Turns of the microtask queue between two picks. */
  readonly turns: number;
  /** The step that takes its process down whenever it begins, while there are faults. */
  readonly poison?: string;
  /** After all, more than the retention of commands passes at once. */
  readonly leaps: boolean;
  /** How many workers are started again when faults stop; one at least. */
  readonly survivors: number;
}

/**
 * Another edition of a workflow's code, as a deployment brings it: the same name and version, another graph. Where one of
 * them is the code, what began under the other is parked.
 */
export interface PlannedEdition {
  /** The place of the workflow of which it is the newer edition. */
  readonly of: number;
  readonly workflow: PlannedWorkflow;
  /** By worker and life: whether it has the newer edition. Later lives have it, and all once faults have stopped. */
  readonly newer: readonly (readonly boolean[])[];
}

/** All that a simulation is made of: the same plan runs the same way, on any machine. Plain JSON. */
export interface Plan {
  /** Of the picks, the delays and what steps do. */
  readonly seed: number;
  readonly settings: Settings;
  /** Empty where the workflows are the user's. */
  readonly workflows: readonly PlannedWorkflow[];
  /** Absent where all workers have the same code all the time. */
  readonly edition?: PlannedEdition;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
}
