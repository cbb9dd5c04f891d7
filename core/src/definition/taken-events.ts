import type { AnyStep, EventOf, NameOf } from "./step.ts";

type TakenBy<S extends AnyStep> = NonNullable<S["~takes"]>;

/**
 * Those of a workflow's steps that may wait: for an event from outside, or for time to pass. Found once, when the workflow is bound to an engine: the
 * compiler goes through them for each event sent, and would otherwise go through all steps.
 */
export type WaiterOf<Steps extends AnyStep> = Steps extends AnyStep
  ? [keyof TakenBy<Steps> | ("~timer" & keyof Steps)] extends [never]
    ? never
    : Steps
  : never;

/** The events by which the timer of a step may end it. */
export type TimerEvent<Waiter extends AnyStep, Step extends string> = EventOf<Extract<Waiter, { readonly name: Step }>>;

type ReceiverByEvent<Receiver extends AnyStep> = { readonly [S in Receiver as keyof TakenBy<S> & string]: S };

/** What can be sent: the payload, by event and by the step that takes it. */
export type Sendable<Receiver extends AnyStep> = {
  readonly [Event in keyof ReceiverByEvent<Receiver>]: {
    readonly [S in ReceiverByEvent<Receiver>[Event] as NameOf<S>]: S extends AnyStep ? TakenBy<S>[Event] : never;
  };
};
