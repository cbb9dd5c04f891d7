import type { Duration } from "./duration.ts";
import type { Json } from "./json.ts";
import type { GivenTo, OutputOf, Schema } from "./schema.ts";
import type { Signal } from "./signal.ts";

/** What a step ended with: an event that it declares, a result, and remarks for the history. */
export interface Outcome<Event extends string, Result> {
  readonly event: Event;
  readonly result: Result;
  readonly metadata?: Json;
}

/** What a step returns that will be finished by a later `resume` or `scheduleResume`. */
export interface Pending {
  readonly pending: true;
}

/** What `emit` makes: recognised by its brand, so that a result that looks like one is not taken for it. */
class Emitted implements Outcome<string, unknown> {
  readonly event: string;
  readonly result: unknown;
  declare readonly metadata?: Json;
  readonly #brand = true;

  constructor(event: string, result: unknown, metadata: Json | undefined) {
    this.event = event;
    this.result = result;
    if (metadata !== undefined) this.metadata = metadata;
  }

  static is(value: object): value is Emitted {
    return #brand in value && value.#brand;
  }
}

const PENDING: Pending = Object.freeze({ pending: true });

/**
 * Ends a step with one of its events.
 * @example return emit("valid", { total: 3 });
 */
export function emit<const E extends string>(event: E): Outcome<E, undefined>;
export function emit<const E extends string, R>(event: E, result: R, metadata?: Json): Outcome<E, R>;
export function emit(event: string, result?: unknown, metadata?: Json): Outcome<string, unknown> {
  return new Emitted(event, result, metadata);
}

/** Ends an attempt without an outcome: the step waits until one of its events is sent to it. */
export function pending(): Pending {
  return PENDING;
}

export function isOutcome(value: unknown): value is Outcome<string, unknown> {
  return typeof value === "object" && value !== null && Emitted.is(value);
}

export function isPending(value: unknown): value is Pending {
  return value === PENDING;
}

/**
 * A step's type: its name, what it needs of the workflow's input, the result of each of its events, and the payload of
 * each event that it takes from outside.
 */
export interface Step<
  Name extends string,
  Input,
  ByEvent extends Record<string, unknown>,
  Takes extends Record<string, unknown> = Record<never, never>,
> {
  readonly name: Name;
  readonly definition: StepDefinition;
  /** Contravariant: a step that reads less fits a workflow that offers more. */
  readonly "~input"?: (input: Input) => void;
  readonly "~byEvent"?: ByEvent;
  readonly "~takes"?: Takes;
}

/** The one place where the types of all steps meet. */
// biome-ignore lint/suspicious/noExplicitAny: only `any` accepts both a contravariant and a covariant parameter
export type AnyStep = Step<string, any, any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type NameOf<S> = S extends Step<infer N, any, any, any> ? N : never;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type InputOf<S> = S extends Step<string, infer I, any, any> ? I : never;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type ByEventOf<S> = S extends Step<string, any, infer M, any> ? M : never;
export type EventOf<S> = keyof ByEventOf<S> & string;

/** A need of a step's result after one of its events: narrows the type, and is checked to be certain. */
export interface When<S extends AnyStep, E extends string> {
  readonly step: S;
  readonly when: E;
}

/** @example needs: [when(validate, "valid")] */
export function when<S extends AnyStep, const E extends EventOf<S>>(step: S, event: E): When<S, E> {
  return { step, when: event };
}

export type Need = AnyStep | When<AnyStep, string>;
export type ResultsOf<N extends readonly Need[]> = {
  readonly [K in N[number] as K extends When<infer S, string> ? NameOf<S> : NameOf<K>]: K extends When<infer S, infer E>
    ? ByEventOf<S>[E]
    : ByEventOf<K>[EventOf<K>];
};

/**
 * The world outside, injected by the place that runs the engine. Programs declare what theirs has:
 * @example declare module "@hephaestus/core" { interface Connectors { payments: Payments } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into
export interface Connectors {}

/** What a step's code is given. */
export interface StepContext<Input, N extends readonly Need[] = [], M extends readonly Need[] = []> {
  readonly input: Input;
  readonly results: ResultsOf<N> & Partial<ResultsOf<M>>;
  readonly connectors: Connectors;
  /** The same on every attempt of this step in this run. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt times out, the run fails or is cancelled, or its runner loses the run. */
  readonly signal: Signal;
  /** Counts from 1; interruptions count too. */
  readonly attempt: number;
  readonly instance: {
    readonly id: string;
    readonly run: number;
    readonly workflow: string;
    readonly version: number;
    readonly key?: string;
  };
  /**
   * Runs an effect once: what it returned is stored, and a later attempt of this step gets that, as does a later call with
   * the same name. One that threw is run again.
   * @example const file = await checkpoint("upload", () => upload(bytes));
   */
  checkpoint<T>(name: string, effect: () => T | Promise<T>): Promise<T>;
}

/** How failed attempts are repeated. What is left out comes from the workflow, then from the library. */
export interface RetryPolicy {
  /** Attempts that end in an error or a timeout, the first included. */
  readonly maxAttempts?: number;
  readonly backoff?: "exponential" | "linear" | "constant";
  /** The wait after the first failure. */
  readonly initial?: Duration;
  /** The longest wait. */
  readonly max?: Duration;
  /** Spreads waits between half and the whole of their length. */
  readonly jitter?: boolean;
}

/** When a step with several edges into it starts; all edges that can be taken are waited for unless said otherwise. */
export type Join = "all" | "any" | { readonly atLeast: number };

/** What all kinds of steps can say. */
export interface StepOptions {
  readonly join?: Join;
  /** On a relaxed join: when it starts, cancel the steps that lead nowhere else. */
  readonly cancelRest?: boolean;
  /** Where to go when the step fails for good; "skip" goes on without it. */
  readonly onFailure?: AnyStep | "skip";
}

export interface RunOptions extends StepOptions {
  readonly retry?: RetryPolicy;
  /** The longest time of one attempt. */
  readonly timeout?: Duration;
  /** Where the attempt runs, on runners that have a queue: auto sends a fan-out wider than one to it. */
  readonly execution?: "inline" | "queue" | "auto";
  /** Whether an attempt whose outcome is unknown is compensated too. */
  readonly outcome?: "known" | "unknown";
}

/** A step as the engine keeps it, its types forgotten. */
export interface StepDefinition extends RunOptions {
  readonly name: string;
  readonly kind: "run" | "event" | "timer";
  readonly events: readonly string[];
  readonly needs: readonly Need[];
  readonly maybeNeeds: readonly Need[];
  readonly run?: (context: StepContext<unknown, readonly Need[], readonly Need[]>) => unknown;
  readonly compensate?: (
    context: StepContext<unknown, readonly Need[], readonly Need[]> & { readonly result: unknown },
  ) => unknown;
  readonly result?: Schema<unknown>;
  /** Payload schemas of the events that a wait takes. */
  readonly payloads?: { readonly [event: string]: Schema<unknown> };
  /** How long a wait lasts, or an event is waited for. */
  readonly duration?: Duration;
}

type Returned<E extends string> = Outcome<E, unknown> | Pending;
type MapOf<O, E extends string> = { [K in E]: O extends Outcome<K, infer R> ? R : never };
type ResultOf<O> = O extends Outcome<string, infer R> ? R : never;

/** A step that may return `Pending`, or anything, takes its events from outside too. */
type TakesOf<Returns, ByEvent> = Pending extends Returns
  ? { [E in keyof ByEvent]: [ByEvent[E]] extends [never] ? unknown : ByEvent[E] }
  : Record<never, never>;
/** Where the code only returns `Pending`, nothing says what the payload will be that is the result. */
type DoneResult<R> = Pending extends R ? ([Exclude<R, Pending>] extends [never] ? unknown : Exclude<R, Pending>) : R;

/**
 * Makes a step. With several outcomes, `events` are declared and `run` emits one of them.
 * @example
 * const check = defineStep({ name: "check", events: ["ok", "bad"], run: ({ input }: StepContext<Order>) => emit("ok") });
 */
export function defineStep<
  const Name extends string,
  const E extends string,
  O extends Returned<NoInfer<E>>,
  Input = unknown,
  const N extends readonly Need[] = [],
  const M extends readonly Need[] = [],
>(
  definition: RunOptions & {
    readonly name: Name;
    readonly events: readonly E[];
    /** Types what the step reads of the workflow's input: `type<Order>()`. The workflow checks the value itself. */
    readonly input?: Schema<Input>;
    readonly needs?: N;
    readonly maybeNeeds?: M;
    readonly result?: Schema<unknown>;
    readonly run: (context: StepContext<Input, N, M>) => O | Promise<O>;
    readonly compensate?: (context: StepContext<Input, N, M> & { readonly result: ResultOf<O> }) => unknown;
  },
): Step<Name, Input, MapOf<O, E>, TakesOf<O, MapOf<O, E>>>;
/** With one outcome, what `run` returns is the result of the event `done`. */
export function defineStep<
  const Name extends string,
  R,
  Input = unknown,
  const N extends readonly Need[] = [],
  const M extends readonly Need[] = [],
>(
  definition: RunOptions & {
    readonly name: Name;
    readonly events?: undefined;
    /** Types what the step reads of the workflow's input: `type<Order>()`. The workflow checks the value itself. */
    readonly input?: Schema<Input>;
    readonly needs?: N;
    readonly maybeNeeds?: M;
    readonly result?: Schema<unknown>;
    readonly run: (context: StepContext<Input, N, M>) => R | Promise<R>;
    readonly compensate?: (context: StepContext<Input, N, M> & { readonly result: DoneResult<R> }) => unknown;
  },
): Step<Name, Input, { done: DoneResult<R> }, TakesOf<R, { done: DoneResult<R> }>>;
// The implementation sees what all forms have in common; the overloads above are the types.
export function defineStep(definition: unknown): AnyStep {
  const given = definition as Partial<StepDefinition> & { name: string };
  const { needs = [], maybeNeeds = [], events = ["done"] } = given;
  return makeStep({ ...given, needs, maybeNeeds, events, kind: "run" });
}

type Schemas = Record<string, Schema<unknown>>;
/** What the step sees: what the schemas make of the payloads. */
type ParsedOf<P extends Schemas> = { [K in keyof P & string]: OutputOf<P[K]> };
/** What is sent: what the schemas take. */
type PayloadsOf<P extends Schemas> = { [K in keyof P & string]: GivenTo<P[K]> };

/**
 * Makes a step that waits for one of several external events; its result is the payload. With a timeout it has the
 * event `timeout` too.
 * @example
 * const review = waitForEvent({ name: "review", events: { approved: type<Review>() }, timeout: { days: 2 } });
 */
export function waitForEvent<const Name extends string, const P extends Schemas>(
  definition: StepOptions & { readonly name: Name; readonly events: P; readonly timeout: Duration },
): Step<Name, unknown, ParsedOf<P> & { timeout: undefined }, PayloadsOf<P>>;
export function waitForEvent<const Name extends string, const P extends Schemas>(
  definition: StepOptions & { readonly name: Name; readonly events: P; readonly timeout?: undefined },
): Step<Name, unknown, ParsedOf<P>, PayloadsOf<P>>;
export function waitForEvent(
  definition: StepOptions & {
    readonly name: string;
    readonly events: Schemas;
    readonly timeout?: Duration | undefined;
  },
): AnyStep {
  const { name, events, timeout, ...options } = definition;
  return makeStep({
    ...options,
    name,
    kind: "event",
    events: [...Object.keys(events), ...(timeout === undefined ? [] : [TIMEOUT_EVENT])],
    needs: [],
    maybeNeeds: [],
    payloads: events,
    ...(timeout === undefined ? {} : { duration: timeout }),
  });
}

/** The event of a wait whose time is over. */
export const TIMEOUT_EVENT = "timeout";

/**
 * Makes a step that lets time pass: a durable timer, no process waits for it.
 * @example const coolOff = wait({ name: "cool_off", for: { minutes: 5 } });
 */
export function wait<const Name extends string>(
  definition: StepOptions & { readonly name: Name; readonly for: Duration },
): Step<Name, unknown, { done: undefined }> & { readonly "~timer"?: true } {
  const { name, for: duration, ...options } = definition;
  return makeStep({ ...options, name, kind: "timer", events: ["done"], needs: [], maybeNeeds: [], duration });
}

function makeStep<S extends AnyStep>(definition: StepDefinition): S {
  return Object.freeze({ name: definition.name, definition: Object.freeze(definition) }) as unknown as S;
}

/** The end of a workflow: a target like a step, which never runs. */
export const done: Step<"done", unknown, Record<never, never>> = makeStep({
  name: "done",
  kind: "run",
  events: [],
  needs: [],
  maybeNeeds: [],
});

export function needName(need: Need): string {
  return "when" in need ? need.step.name : need.name;
}
