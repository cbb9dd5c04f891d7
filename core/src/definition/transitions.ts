import type { Duration } from "./duration.ts";
import type { Json } from "./json.ts";
import type { Schema } from "./schema.ts";
import type { AnyStep, RetryPolicy } from "./step.ts";

/** Targets among which user code chooses when the event comes. */
export interface Choice<Input> {
  readonly targets: readonly AnyStep[];
  readonly pick: (context: ChoiceContext<Input>) => AnyStep | readonly AnyStep[];
  readonly "~choice"?: (input: Input) => void;
}

export interface ChoiceContext<Input> {
  readonly input: Input;
  /** The result of the step that the choice follows. */
  readonly result: unknown;
  /** The results of all steps that have one. */
  readonly results: { readonly [step: string]: unknown };
}

/** The edges out of one step. */
export interface Edges<S extends AnyStep = AnyStep> {
  readonly step: S;
  readonly edges: { readonly [event: string]: AnyStep | readonly AnyStep[] | Choice<never> };
}

/** How the ids of instances are made of business keys. */
export interface Unique {
  /** The name of the key, for example `orderid`. */
  readonly key: string;
  readonly scope?: "workflow" | "version" | "global" | "none";
}

export interface WorkflowOptions {
  readonly version?: number;
  readonly unique?: Unique;
  readonly tags?: readonly string[];
  readonly metadata?: { readonly [name: string]: Json };
  /** For steps that say nothing themselves. */
  readonly retry?: RetryPolicy;
  /** How long an ended instance is kept. */
  readonly retention?: Duration;
  /**
   * Steps whose results lists can ask for: `where: { "results.charge.amount": { gte: 100 } }`. They stand in the row
   * of an instance from its next rest or its end on. Input and metadata always do.
   */
  readonly queryable?: readonly AnyStep[];
}

/** A workflow as the runtime keeps it, its types forgotten. */
export interface WorkflowDefinition extends WorkflowOptions {
  readonly name: string;
  readonly input: Schema<unknown>;
  readonly start: readonly AnyStep[];
  readonly edges: readonly Edges[];
  readonly output: readonly AnyStep[];
}

export function isChoice(target: unknown): target is Choice<unknown> {
  return typeof target === "object" && target !== null && "pick" in target;
}

/** The targets of an edge as a list. */
export function targetsOf(target: Edges["edges"][string]): readonly AnyStep[] {
  if (isChoice(target)) return target.targets;
  return Array.isArray(target) ? target : [target as AnyStep];
}

/** What the type of a workflow, or of its versions, knows of it: there is nothing of this at run time. */
export interface Carried<Input, Output, Keyed extends Unique | undefined, Transitions extends readonly Edges[]> {
  readonly "~input"?: (input: Input) => void;
  readonly "~output"?: Output;
  readonly "~keyed"?: Keyed;
  readonly "~transitions"?: Transitions;
}
