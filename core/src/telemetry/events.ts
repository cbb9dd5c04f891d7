import type { Json } from "../definition/json.ts";
import type { CompensationState, RunInfo, RunStatus, Timestamp } from "../engine/state.ts";

/** Which instance an event is about, and what its starter wants to find it by. */
export interface InstanceFacts {
  readonly workflow: string;
  readonly version: number;
  readonly id: string;
  readonly run: number;
  /** The caller's own, as given at the start: request id, user, trace. Kept apart, so that no name can clash. */
  readonly telemetry: { readonly [name: string]: Json } | undefined;
}

/** An error as plain texts: handlers never hold what the state holds. */
export interface ErrorFacts {
  readonly kind: "error" | "timeout" | "interruption";
  readonly reason: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

type Names = readonly string[];
type OnStep<More = unknown> = { step: string; attempt: number } & More;
/** How long the attempt ran; undefined where nobody saw it, as after its runner was lost. */
type Took = { durationMs: number | undefined };
/** Since the start of the run, across all runners; steps that completed; commits. */
type AtEnd = { durationMs: number; stepCount: number; advanceCount: number };

/** What each event measures and tells, beside what all of them do. Fields may be added; none is removed or renamed. */
interface EventTypes {
  /** A run was created. `contextKeys`: the keys of its input. */
  "workflow:start": [unknown, { initialSteps: Names; contextKeys: Names; runner: string }];
  /** A run ended, in one of three ways. A failed one may go on by `retry`, and ends once more then. */
  "workflow:stop": [AtEnd, { completedSteps: Names; runner: string }];
  "workflow:exception": [AtEnd, ErrorFacts & { failedStep: string | undefined; runner: string }];
  "workflow:cancel": [AtEnd, { completedSteps: Names; runner: string }];
  /** A step led on: by its event, or without one by its failure route. `done` may be among the targets. */
  "workflow:transition": [
    { targetCount: number },
    { fromStep: string; event: string | undefined; targets: Names; fanOut: boolean },
  ];
  /** A runner was asked for an instance whose code is missing, or has another graph. */
  "workflow:park": [unknown, { reason: "missing" | "changed" }];
  /** An attempt begins. `concurrency`: attempts of its instance that this driver runs, this one included. */
  "step:start": [{ concurrency: number; activeSteps: number }, OnStep];
  /** An attempt ended with an event. `transitionsTo` is empty while a `choose` is still to be made. */
  "step:stop": [Took, OnStep<{ event: string; transitionsTo: Names }>];
  /** An attempt failed, or the step did without one (`JOIN_UNFILLED`, `CHOICE_FAILED`). */
  "step:exception": [Took, OnStep<ErrorFacts & { willRetry: boolean }>];
  /** A step is to be run again, as `attempt`. `handback`: its runner closed, or the run was paused. */
  "step:retry": [{ delayMs: number }, OnStep<{ reason: "failure" | "interruption" | "handback" }>];
  /** A step waits now: for an event, a timer, or what it began as `pending()`. */
  "step:async": [Took, OnStep<{ wakeAt: Timestamp | undefined }>];
  /** A waiting step got its event, from outside or from its timer. */
  "step:resume": [{ waitDurationMs: number | undefined }, OnStep<{ event: string; source: "external" | "timeout" }>];
  /** A step that ran or waited was taken from its run: by a cancel, a failure, or a join that did not need it. */
  "step:cancel": [Took, OnStep];
  /** A compensation begins, is to be tried again, or is over. */
  "step:compensate": [
    { failures: number },
    OnStep<{ status: CompensationState["status"]; reason: string | undefined }>,
  ];
  /** One commit. `durationMs`: from the decision to its acknowledgement. `iteration`: from 1 in each run. */
  "engine:advance": [
    { durationMs: number; activeSteps: number; completedSteps: number },
    { statusBefore: RunStatus; statusAfter: RunStatus; iteration: number },
  ];
  "runner:init": [unknown, { runner: string; runnerId: string }];
}

export type TelemetryName = keyof EventTypes;
type InstanceEventName = Exclude<TelemetryName, "runner:init">;

/** What an event measures (milliseconds, counts), beside `systemTime`. */
export type Measured<Name extends TelemetryName> = Readonly<EventTypes[Name][0]>;

/** What an event tells, beside its instance. */
export type Told<Name extends TelemetryName> = Readonly<EventTypes[Name][1]>;

/**
 * Something that happened: a union that `name` discriminates. All handlers share it; none may change it.
 *
 * @example
 * if (event.name === "step:stop") record(event.metadata.step, event.measurements.durationMs);
 */
export type TelemetryEvent<Name extends TelemetryName = TelemetryName> = {
  readonly [N in Name]: {
    readonly name: N;
    /** `systemTime`: milliseconds since the epoch, by the clock of the runner. */
    readonly measurements: { readonly systemTime: Timestamp } & Measured<N>;
    readonly metadata: (N extends InstanceEventName ? InstanceFacts : unknown) & Told<N>;
  };
}[Name];

/** Tells one event of an instance. */
export type Tell = <Name extends InstanceEventName>(name: Name, measured: Measured<Name>, told: Told<Name>) => void;

/** Has the events of one instance and one time made and pushed, as far as they are wanted. */
export function teller(
  events: TelemetryEvent[],
  { id, info, at }: { readonly id: string; readonly info: RunInfo; readonly at: Timestamp },
  wants: (name: TelemetryName) => boolean,
): Tell {
  const { workflow, version, run, telemetry } = info;
  const instance: InstanceFacts = { workflow, version, id, run, telemetry: telemetry && { ...telemetry } };
  return (name, measured, told) => {
    if (!wants(name)) return;
    const measurements = Object.assign({ systemTime: at }, measured);
    events.push({ name, measurements, metadata: { ...instance, ...told } } as unknown as TelemetryEvent);
  };
}
