import type { RunState } from "../engine/run-state.ts";
import type { Changes, Timestamp } from "../engine/state.ts";
import { type CommitContext, eventsOfCommit } from "./derive.ts";
import { type Measured, type TelemetryEvent, type TelemetryName, type Told, teller } from "./events.ts";

/** Where events go. */
export interface EventSink {
  /** Whether anybody listens to an event, or to anything: what nobody hears need not be made. */
  has(name?: TelemetryName): boolean;
  /** Tells events, in order. Never throws and never waits. */
  emit(...events: readonly TelemetryEvent[]): void;
}

type Subject = Pick<RunState, "id" | "info" | "open">;

/**
 * What the runtime calls. It costs next to nothing while nobody listens. The runtime knows it by type only, so that a
 * bundle without telemetry has none of it.
 */
export interface TelemetryProbe {
  /**
   * Reads off a record of one's own what it tells; to be called before the record is folded. The answer tells it, to be
   * called after: a handler that looks at the instance sees what it was told.
   * @returns undefined when nobody listens
   */
  committed(context: Omit<CommitContext, "runner">, changes: Changes): (() => void) | undefined;
  /** An attempt's code is about to run. `concurrency` counts it too. */
  attemptStarted(
    state: Subject,
    at: Timestamp,
    attempt: Told<"step:start"> & Pick<Measured<"step:start">, "concurrency">,
  ): void;
  /** A runner was asked for an instance without having its code. */
  parked(state: Subject, at: Timestamp, reason: Told<"workflow:park">["reason"]): void;
}

export function makeProbe(
  { has, emit }: EventSink,
  { at: readyAt, ...told }: Told<"runner:init"> & { readonly at: Timestamp },
): TelemetryProbe {
  emit({ name: "runner:init", measurements: { systemTime: readyAt }, metadata: told });

  function tellOf<Name extends "step:start" | "workflow:park">(
    name: Name,
    { id, info }: Subject,
    at: Timestamp,
    measured: Measured<Name>,
    told: Told<Name>,
  ): void {
    if (info === undefined || !has(name)) return;
    const events: TelemetryEvent[] = [];
    teller(events, { id, info, at }, has)(name, measured, told);
    emit(...events);
  }

  return {
    committed(context, changes) {
      if (!has()) return undefined;
      const events = eventsOfCommit({ ...context, runner: told.runner }, changes, has);
      return () => emit(...events);
    },
    attemptStarted(state, at, { concurrency, ...attempt }) {
      tellOf("step:start", state, at, { concurrency, activeSteps: state.open.size }, attempt);
    },
    parked: (state, at, reason) => tellOf("workflow:park", state, at, {}, { reason }),
  };
}
