import type {
  AnyVersions,
  AnyWorkflow,
  Connectors,
  Header,
  InstanceFilter,
  InstanceSummary,
  Page,
  TelemetryBus,
  Timestamp,
} from "@hephaestus/core";
import type { ObjectNamespace } from "./object-api.ts";

/** One step of one instance that a queue consumer is to run. The object tells the rest when it is claimed. */
export interface StepMessage {
  /** The object's name. */
  readonly object: string;
  readonly run: number;
  readonly step: string;
  readonly attempt: number;
}

/** The queryable copy of what the objects hold; `d1Index` of @hephaestus/d1 is one. */
export interface InstanceIndex {
  /** Writes rows; one with an older revision than what is there changes nothing. */
  put(headers: readonly Header[]): Promise<unknown>;
  /** Removes the rows of a run and of those before it. */
  drop(id: string, run: number): Promise<unknown>;
  query(filter: InstanceFilter): Promise<Page<InstanceSummary>>;
  /** Some of the instances whose `wakeAt` is long past: ended ones only of the workflows named. */
  overdue(request: {
    readonly before: Timestamp;
    readonly limit: number;
    readonly retained?: readonly { readonly workflow: string; readonly retentionMs: number }[];
  }): Promise<readonly { readonly id: string; readonly run: number }[]>;
}

/** The parts of the platform that an engine stands on. */
export interface EdgeBindings {
  readonly objects: ObjectNamespace;
  /** Where steps with `execution: "queue"` go; without it all run in their object. */
  readonly queue?: Pick<Queue<StepMessage>, "sendBatch">;
  /** Answers lists; without it `list` is refused. */
  readonly index?: InstanceIndex;
}

export interface EdgeOptions<Env> {
  readonly workflows: readonly (AnyWorkflow | AnyVersions)[];
  /**
   * What the engine stands on.
   * @param namespace the engine's name, for the index: `d1Index(env.DB, { namespace })`
   */
  readonly bindings: (env: Env, namespace: string) => EdgeBindings;
  readonly connectors?: (env: Env, namespace: string) => Partial<Connectors>;
  /** The names of the engines that `scheduled` looks after; only the one without a name unless said. */
  readonly namespaces?: (env: Env) => readonly string[];
  /** The queue that gets what the queue of steps could not deliver: its batches are not run, but looked after. */
  readonly deadLetterQueue?: string;
  /** Where handlers listen to what objects do: `telemetryBus()`. */
  readonly telemetry?: TelemetryBus;
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
  /** How soon a refresh of the index that failed is repeated; later as long as the instance has been at rest, at most… */
  readonly refreshMs: number;
  /** …so much later. */
  readonly refreshMsMax: number;
  /**
   * How long a result may wait to be stored together with others, where nothing begins by it and other inline steps of
   * its instance still run. If the object is lost meanwhile the step runs again; 0 has each stored at once.
   */
  readonly resultsMs: number;
  /** How often a parked instance looks whether its code is back. */
  readonly parkedMs: number;
  /** How late an instance must be for a sweep to look after it: its alarm was lost. */
  readonly overdueMs: number;
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
  refreshMsMax: 600_000,
  resultsMs: 100,
  parkedMs: 3_600_000,
  overdueMs: 300_000,
};
