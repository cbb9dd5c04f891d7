import { FAULT_KINDS, type FaultKind } from "./plan.ts";

/** What a simulation met, by group and name. */
export interface Coverage {
  readonly faults: Map<string, number>;
  /** Commands that took effect, by type. */
  readonly commands: Map<string, number>;
  /** Commands that were refused, by the error's code. */
  readonly refusals: Map<string, number>;
  readonly statuses: Map<string, number>;
  /** Kinds of joins with more than one edge that started, were skipped or failed. */
  readonly joins: Map<string, number>;
  /** How steps ended, and what else became of them. */
  readonly steps: Map<string, number>;
  /** What became of runs where another edition of their code was. */
  readonly editions: Map<string, number>;
}

type Group = keyof Coverage;

/** What must be met in any thousand seeds, or the simulation tests less than it says. */
const EXPECTED: { readonly [G in Group]: readonly string[] } = {
  faults: FAULT_KINDS satisfies readonly FaultKind[],
  commands: ["start", "restart", "event", "schedule", "pause", "unpause", "cancel", "retry", "adopt", "delete"],
  refusals: ["ALREADY_RUNNING", "STATUS_REFUSES", "EVENT_NOT_EXPECTED", "EVENT_UNDECLARED", "INSTANCE_NOT_FOUND"],
  statuses: [
    "running",
    "waiting",
    "paused",
    "compensating",
    "completed",
    "failed",
    "cancelled",
    "deleted",
    "forgotten",
  ],
  joins: ["all", "any", "atLeast", "any+cancelRest", "atLeast+cancelRest", "skipped", "unfilled"],
  steps: [
    "completed",
    "failed",
    "skipped",
    "cancelled",
    "waiting",
    "choosing",
    "retried",
    "interrupted",
    "event taken",
    "event early",
    "timer fired",
    "failure routed",
    "compensated",
    "compensation failed",
    "handed back",
    "pending",
    "checkpoint",
  ],
  editions: [
    "parked",
    "parked event",
    "parked pause",
    "parked unpause",
    "parked cancel",
    "parked delete",
    "adopted",
    "adopted ending",
    "adopt refused",
  ],
};

export function emptyCoverage(): Coverage {
  return {
    faults: new Map(),
    commands: new Map(),
    refusals: new Map(),
    statuses: new Map(),
    joins: new Map(),
    steps: new Map(),
    editions: new Map(),
  };
}

export function meet(coverage: Coverage, group: Group, name: string): void {
  const counts = coverage[group];
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function addCoverage(total: Coverage, more: Coverage): void {
  for (const group of Object.keys(total) as Group[]) {
    for (const [name, count] of more[group]) total[group].set(name, (total[group].get(name) ?? 0) + count);
  }
}

/** What was never met, as `group: name`. */
export function neverMet(coverage: Coverage): string[] {
  return (Object.keys(EXPECTED) as Group[]).flatMap((group) =>
    EXPECTED[group].filter((name) => !coverage[group].has(name)).map((name) => `${group}: ${name}`),
  );
}
