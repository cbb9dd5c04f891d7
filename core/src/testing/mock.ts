import { HephaestusError } from "../definition/errors.ts";
import {
  type AnyStep,
  type ByEventOf,
  type EventOf,
  emit,
  type InputOf,
  type Outcome,
  type Pending,
  type StepContext,
} from "../definition/step.ts";

/** What a mocked step is given. Which results there are, the step's `needs` say; their types are not the mock's to know. */
export type MockContext<S extends AnyStep> = Omit<StepContext<InputOf<S>>, "results"> & {
  readonly results: { readonly [step: string]: unknown };
};

/** An event's result as an argument, which may be left out where there is none. */
export type ResultArgument<S extends AnyStep, E extends EventOf<S>> = undefined extends ByEventOf<S>[E]
  ? [result?: ByEventOf<S>[E]]
  : [result: ByEventOf<S>[E]];

/** What a step may return: one of its events with that event's result, or where it has the event `done`, the result. */
type ReturnOf<S extends AnyStep> =
  | { [E in EventOf<S>]: Outcome<E, ByEventOf<S>[E]> }[EventOf<S>]
  | ("done" extends EventOf<S> ? ByEventOf<S>["done"] : never)
  | Pending;

/**
 * What a step does in a test in the place of its own code. What is said first is done first, and counted for each run
 * of an instance apart; where nothing (more) is said, the step's own code runs.
 */
export interface Mock<S extends AnyStep> {
  readonly step: S;
  /** What its attempts were given, in the order in which they began. */
  readonly calls: readonly MockContext<S>[];
  /** Ends with this event. */
  emits<const E extends EventOf<S>>(event: E, ...result: ResultArgument<S, E>): Mock<S>;
  /** Ends with the event `done` and this result. */
  readonly returns: "done" extends EventOf<S> ? (...result: ResultArgument<S, "done">) => Mock<S> : never;
  /** Throws so many times, and then does what is said next. */
  failsTimes(times: number, error?: unknown): Mock<S>;
  /** Throws always. */
  fails(error?: unknown): Mock<S>;
  /** Never comes back, whatever its signal says: it times out, is cancelled, or hangs. */
  neverReturns(): Mock<S>;
  /** Runs this. */
  runs(code: (context: MockContext<S>) => ReturnOf<S> | Promise<ReturnOf<S>>): Mock<S>;
  /** Runs this as the compensation. The step must have one: that it has is part of the graph. */
  compensates(code: (context: MockContext<S> & { readonly result: unknown }) => unknown): Mock<S>;
}

// biome-ignore lint/suspicious/noExplicitAny: where the mocks of all steps meet, as the steps do in AnyStep
export type AnyMock = Mock<any>;

type Code = (context: MockContext<AnyStep>) => unknown;

/** What a mock does; what the test engine needs of one. */
export interface MockPlan {
  /** The code of the next attempt; undefined: the step's own. */
  next(context: MockContext<AnyStep>): Code | undefined;
  compensation: Code | undefined;
}

/** Nothing waits for what never returns: time goes on. */
export const NEVER: Promise<never> = new Promise<never>(() => {});

const plans = new WeakMap<AnyMock, MockPlan>();

export function planOf(mock: AnyMock): MockPlan {
  const plan = plans.get(mock);
  if (plan) return plan;
  throw new HephaestusError("OPTION_INVALID", "mocks are made by mock(step)", { field: "mocks" });
}

/**
 * Says what a step does in a test: `mock(charge).failsTimes(2).emits("charged", { paymentId: "p1" })`.
 * @throws HephaestusError OPTION_INVALID for a step without code: events are sent to a wait, and its time is skipped
 */
export function mock<S extends AnyStep>(step: S): Mock<S> {
  if (step.definition.run === undefined) {
    const message = `step ${step.name} runs no code: send it an event, or let time pass`;
    throw new HephaestusError("OPTION_INVALID", message, { field: "mocks", step: step.name });
  }
  const calls: MockContext<S>[] = [];
  const said: { readonly times: number; readonly code: Code }[] = [];
  const begun = new Map<string, number>();
  const plan: MockPlan = {
    compensation: undefined,
    next(context) {
      const { id, run } = context.instance;
      const nth = begun.get(`${id}#${run}`) ?? 0;
      begun.set(`${id}#${run}`, nth + 1);
      calls.push(context as MockContext<S>);
      let until = 0;
      for (const { times, code } of said) {
        until += times;
        if (nth < until) return code;
      }
      return undefined;
    },
  };
  const does = (code: Code, times = Number.POSITIVE_INFINITY): Mock<S> => {
    if (said.some((one) => one.times === Number.POSITIVE_INFINITY)) {
      const message = `the mock of ${step.name} says already what it does for ever`;
      throw new HephaestusError("OPTION_INVALID", message, { field: "mocks", step: step.name });
    }
    said.push({ times, code });
    return made;
  };
  const throwing = (error: unknown): Code => {
    const thrown = error ?? new Error(`${step.name} fails, as its mock says`);
    return () => {
      throw thrown;
    };
  };
  const made: Mock<S> = {
    step,
    calls,
    emits: (event, ...[result]) => does(() => emit(event, result)),
    returns: ((result: unknown) => does(() => emit("done", result))) as Mock<S>["returns"],
    failsTimes: (times, error) => does(throwing(error), times),
    fails: (error) => does(throwing(error)),
    neverReturns: () => does(() => NEVER),
    runs: (code) => does(code as Code),
    compensates(code) {
      if (step.definition.compensate === undefined) {
        const message = `step ${step.name} has no compensation`;
        throw new HephaestusError("OPTION_INVALID", message, { field: "mocks", step: step.name });
      }
      plan.compensation = code as Code;
      return made;
    },
  };
  plans.set(made, plan);
  return made;
}
