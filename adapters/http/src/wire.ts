import type { Json } from "@hephaestus/core";

/*
 * The JSON that goes over the wire and is not a type of the engine itself. Instances, histories, changes, filters and
 * pages are sent as the engine has them.
 */

/** Names a command; the same key again is answered like the first time and does nothing. */
export const IDEMPOTENCY_KEY = "idempotency-key";

/** The answer to a start or a restart. */
export interface Started {
  readonly id: string;
  readonly run: number;
}

/** A list that is not cut into pages. */
export interface Items<Item> {
  readonly items: readonly Item[];
}

/** One version of a workflow that the engine has the code of. */
export interface WorkflowSummary {
  readonly name: string;
  readonly version: number;
  readonly fingerprint: string;
  /** A start gets this version, where neither it nor the workflow's own code says otherwise. */
  readonly current: boolean;
  readonly tags: readonly string[];
  readonly metadata: { readonly [name: string]: Json };
  /** The business key of its instances. */
  readonly unique?: { readonly key: string; readonly scope: "workflow" | "version" | "global" | "none" };
}

/** Where an event of a step leads. */
export interface WorkflowRoute {
  /** Names of steps; "done" is the end. */
  readonly targets: readonly string[];
  /** Code chooses among the targets; otherwise all of them are taken. */
  readonly choice: boolean;
}

export interface WorkflowStep {
  readonly name: string;
  readonly kind: "run" | "event" | "timer";
  readonly events: readonly string[];
  /** The events that can be sent to it while it waits. */
  readonly receives: readonly string[];
  /** By event. */
  readonly targets: { readonly [event: string]: WorkflowRoute };
  readonly join: "all" | "any" | { readonly atLeast: number };
  readonly cancelRest: boolean;
  /** A step, "done", or "skip"; absent when its failure is the run's. */
  readonly onFailure?: string;
  readonly compensates: boolean;
  readonly maxAttempts: number;
  /** The length of a wait, or of the time that an event is waited for. */
  readonly durationMs?: number;
}

/** A workflow with its graph. */
export interface WorkflowDetail extends WorkflowSummary {
  readonly starts: readonly string[];
  readonly steps: readonly WorkflowStep[];
  /** The steps whose results are the run's. */
  readonly output: readonly string[];
}

/**
 * The path of an instance, or of something of it. Ids hold slashes: they are one encoded segment.
 * @example instancePath("order_flow/orderid::1", "history") // => "/instances/order_flow%2Forderid%3A%3A1/history"
 */
export function instancePath(id: string, part?: string): string {
  return `/instances/${encodeURIComponent(id)}${part === undefined ? "" : `/${part}`}`;
}
