import type {
  AnyVersions,
  AnyWorkflow,
  Connectors,
  Header,
  InstanceFilter,
  InstanceSummary,
  Page,
} from "@hephaestus/core";
import type { ObjectNamespace } from "./object-api.ts";

/** One step of one instance that a queue consumer is to run. The object tells the rest when it is claimed. */
export interface StepMessage {
  readonly object: string;
  readonly run: number;
  readonly step: string;
  readonly attempt: number;
}

/** The queryable copy of what the objects hold; `d1Index` of @hephaestus/d1 is one. */
export interface InstanceIndex {
  /** Writes rows; one with an older revision than what is there changes nothing. */
  put(headers: readonly Header[]): Promise<unknown>;
  drop(id: string, run: number): Promise<unknown>;
  query(filter: InstanceFilter): Promise<Page<InstanceSummary>>;
}

/** The parts of the platform that an engine stands on. */
export interface EdgeBindings {
  readonly objects: ObjectNamespace;
  /** Where steps with `execution: "queue"` go; without it all run in their object. */
  readonly queue?: Queue<StepMessage>;
  /** Answers lists; without it `list` is refused. */
  readonly index?: InstanceIndex;
}

export interface EdgeOptions<Env> {
  readonly workflows: readonly (AnyWorkflow | AnyVersions)[];
  readonly bindings: (env: Env) => EdgeBindings;
  readonly connectors?: (env: Env) => Partial<Connectors>;
  readonly timing?: (env: Env) => Partial<Timing>;
}

/** Times of the edge runner, in milliseconds. */
export interface Timing {
  /** How long an object with work may be silent before its alarm looks after it; under 70 s. */
  readonly watchdogMs: number;
  /** How long a consumer that has claimed steps may be silent. */
  readonly leaseMs: number;
  /** How long a message may take to be claimed before it is sent again; doubled each time. */
  readonly claimMs: number;
  /** How soon a refresh of the index that failed is repeated. */
  readonly refreshMs: number;
  /** How often a parked instance looks whether its code is back. */
  readonly parkedMs: number;
}

/**
 * Background work without a caller was seen to die after 70 to 140 s, and to live with an alarm every 60 s: 20 s leaves
 * room for a late one.
 */
export const TIMING_DEFAULT: Timing = {
  watchdogMs: 20_000,
  leaseMs: 30_000,
  claimMs: 30_000,
  refreshMs: 20_000,
  parkedMs: 3_600_000,
};
