import type { StepDefinition } from "./step.ts";

/** The position of `done` among targets: not a node. */
export const DONE = -1;
/** How `done` is written among stored targets. */
export const DONE_NAME = "done";

/** Where an event leads: all of the targets, or those of them that user code chooses. */
export interface Route {
  readonly targets: readonly number[];
  readonly choice: boolean;
}

/** The resolved policy of repeated attempts, in milliseconds. */
export interface Retry {
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "linear" | "constant";
  readonly initialMs: number;
  readonly maxMs: number;
  readonly jitter: boolean;
}

export interface StepNode {
  readonly name: string;
  readonly index: number;
  readonly kind: StepDefinition["kind"];
  readonly routes: ReadonlyMap<string, Route>;
  /** The events that can be sent to it while it waits: those that it declares, but not its own timeout. */
  readonly receives: ReadonlySet<string>;
  /** Every step that it has an edge to, once each; without `done`. */
  readonly targets: readonly number[];
  /** Whether an edge leads to `done`. */
  readonly mayEnd: boolean;
  /** Every step that has an edge to it, once each. */
  readonly sources: readonly number[];
  readonly isStart: boolean;
  /** How many edges lead into it; the start counts as one. */
  readonly inDegree: number;
  /** Taken edges that it needs: undefined waits for all to be resolved and needs one. */
  readonly atLeast: number | undefined;
  /** What is cancelled when it starts. */
  readonly cancels: readonly number[];
  /** Where it leads when it fails: a step or `DONE`, nothing ("skip"), or the run fails. */
  readonly onFailure: number | "skip" | undefined;
  /** Whether it reads results that may not be there. */
  readonly seesOptional: boolean;
  readonly compensates: boolean;
  readonly compensateUnknown: boolean;
  /** The length of a wait, or of the time that an event is waited for. */
  readonly durationMs: number | undefined;
  readonly retry: Retry;
}

/** A workflow's steps and edges as plain data: all that the engine knows of user code. */
export interface Graph {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly nodes: readonly StepNode[];
  readonly starts: readonly number[];
  /** How long an ended run is kept; undefined is for ever. */
  readonly retentionMs: number | undefined;
  /** By index: 1 for the steps that a start leads to, else 0. */
  readonly startEdges: readonly number[];
  readonly byName: ReadonlyMap<string, StepNode>;
  /** For each external event, the steps that can take it. */
  readonly receivers: ReadonlyMap<string, readonly StepNode[]>;
}

/** Where the code of an instance is not there, nothing is known of its steps. */
export const NO_GRAPH: Graph = {
  workflow: "",
  version: 0,
  fingerprint: "",
  nodes: [],
  starts: [],
  startEdges: [],
  retentionMs: undefined,
  byName: new Map(),
  receivers: new Map(),
};

/**
 * A short text that differs when the graph does: names, kinds, edges, joins and failure routes, but not the code, the
 * times or the retry policies, which may change under a running instance. Two independent 32-bit FNV-1a hashes with
 * different seeds over a canonical text; not a cryptographic hash, it guards against mistakes.
 */
export function fingerprintOf(nodes: readonly StepNode[], starts: readonly number[]): string {
  const nameOf = (index: number) => (index === DONE ? DONE_NAME : nodes[index]?.name);
  const lines = nodes.map((node) => {
    const routes = [...node.routes].map(([event, route]) => [event, route.choice, route.targets.map(nameOf).sort()]);
    const onFailure = typeof node.onFailure === "number" ? `>${nameOf(node.onFailure)}` : (node.onFailure ?? null);
    return JSON.stringify([
      node.name,
      node.kind,
      routes.sort(),
      node.atLeast ?? null,
      node.cancels.length > 0,
      onFailure,
    ]);
  });
  const text = [...lines.sort(), JSON.stringify(starts.map(nameOf).sort())].join("\n");
  return fnv1a(text, 0x811c9dc5) + fnv1a(text, 0x01234567);
}

function fnv1a(text: string, seed: number): string {
  let hash = seed;
  for (let position = 0; position < text.length; position++) {
    hash = Math.imul(hash ^ text.charCodeAt(position), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
