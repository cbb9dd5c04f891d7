import type { Json } from "../definition/json.ts";
import type { RunState } from "../engine/run-state.ts";
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

interface StepFacts {
  readonly step: string;
  readonly attempt: number;
}

/** How long the attempt ran; undefined where that is not known, as after a runner was lost. */
interface Took {
  readonly durationMs: number | undefined;
}

/** Since the start of the run, across all runners and restarts. */
interface EndMeasurements {
  readonly durationMs: number;
  /** Steps that completed. */
  readonly stepCount: number;
  /** Commits of the run. */
  readonly advanceCount: number;
}

/** What each event measures and tells, beside what all of them do. Fields may be added; none is removed or renamed. */
interface EventTypes {
  /** A run was created. `contextKeys`: the keys of its input. */
  "workflow:start": [
    unknown,
    { readonly initialSteps: readonly string[]; readonly contextKeys: readonly string[]; readonly runner: string },
  ];
  /** A run ended in one of three ways. A failed one may go on by `retry`, and then ends once more. */
  "workflow:stop": [EndMeasurements, { readonly completedSteps: readonly string[]; readonly runner: string }];
  "workflow:exception": [
    EndMeasurements,
    ErrorFacts & { readonly failedStep: string | undefined; readonly runner: string },
  ];
  "workflow:cancel": [EndMeasurements, { readonly completedSteps: readonly string[]; readonly runner: string }];
  /** A step led on: by its event, or (without one) by its failure route. `done` may be among the targets. */
  "workflow:transition": [
    { readonly targetCount: number },
    {
      readonly fromStep: string;
      readonly event: string | undefined;
      readonly targets: readonly string[];
      readonly fanOut: boolean;
    },
  ];
  /** A runner was asked for an instance whose code is missing, or has another graph. */
  "workflow:park": [unknown, { readonly reason: "missing" | "changed" }];
  /** An attempt begins. `concurrency`: attempts of this instance that this driver runs, this one included. */
  "step:start": [{ readonly concurrency: number; readonly activeSteps: number }, StepFacts];
  /** An attempt ended with an event. `transitionsTo` is empty while a `choose` is still to be made. */
  "step:stop": [Took, StepFacts & { readonly event: string; readonly transitionsTo: readonly string[] }];
  /** An attempt failed, or the step did without one (`JOIN_UNFILLED`, `CHOICE_FAILED`). */
  "step:exception": [Took, StepFacts & ErrorFacts & { readonly willRetry: boolean }];
  /** A step is to be run again under a new token. `handback`: its runner closed, or the run was paused. */
  "step:retry": [
    { readonly delayMs: number },
    StepFacts & { readonly reason: "failure" | "interruption" | "handback" },
  ];
  /** A step waits now: for an event, a timer, or what it began as `pending()`. */
  "step:async": [Took, StepFacts & { readonly wakeAt: Timestamp | undefined }];
  /** A waiting step got its event from outside, or from its timer. */
  "step:resume": [
    { readonly waitDurationMs: number | undefined },
    StepFacts & { readonly event: string; readonly source: "external" | "timeout" },
  ];
  /** A step that ran or waited was taken from its run, by a cancel, a failure or a join that did not need it. */
  "step:cancel": [Took, StepFacts];
  /** A compensation begins, is to be tried again, or is over. */
  "step:compensate": [
    { readonly failures: number },
    StepFacts & { readonly status: CompensationState["status"]; readonly reason: string | undefined },
  ];
  /** One commit. `durationMs`: from the decision to its acknowledgement. `iteration`: from 1 in each run. */
  "engine:advance": [
    { readonly durationMs: number; readonly activeSteps: number; readonly completedSteps: number },
    { readonly statusBefore: RunStatus; readonly statusAfter: RunStatus; readonly iteration: number },
  ];
  "runner:init": [unknown, { readonly runner: string; readonly runnerId: string }];
}

export type TelemetryName = keyof EventTypes;

/** What an event measures, in milliseconds and counts, beside `systemTime`. */
export type Measured<Name extends TelemetryName> = EventTypes[Name][0];

/** What an event tells beside its instance. */
export type Told<Name extends TelemetryName> = EventTypes[Name][1];

/**
 * Something that happened, as handlers are told of it: a union that `name` discriminates. Events are shared by all
 * handlers and are not to be changed.
 *
 * @example
 * if (event.name === "step:stop") record(event.metadata.step, event.measurements.durationMs);
 */
export type TelemetryEvent<Name extends TelemetryName = TelemetryName> = {
  readonly [N in Name]: {
    readonly name: N;
    /** `systemTime`: milliseconds since the epoch, by the clock of the runner. */
    readonly measurements: { readonly systemTime: Timestamp } & Measured<N>;
    readonly metadata: (N extends "runner:init" ? unknown : InstanceFacts) & Told<N>;
  };
}[Name];

/** What all events of one commit share. */
export function instanceFacts(id: string, { workflow, version, run, telemetry }: RunInfo): InstanceFacts {
  return { workflow, version, id, run, telemetry: telemetry && { ...telemetry } };
}

export function instanceEvent<Name extends Exclude<TelemetryName, "runner:init">>(
  name: Name,
  at: Timestamp,
  instance: InstanceFacts,
  measured: Measured<Name>,
  told: Told<Name>,
): TelemetryEvent {
  const measurements = { systemTime: at, ...(measured as object) };
  return { name, measurements, metadata: { ...instance, ...told } } as unknown as TelemetryEvent;
}

type Running = Pick<RunState, "id" | "open"> & { readonly info: RunInfo };

/** Told by the driver when an attempt's code is about to run. */
export function stepStart(
  { id, info, open }: Running,
  at: Timestamp,
  { step, attempt, concurrency }: StepFacts & { readonly concurrency: number },
): TelemetryEvent {
  const measured = { concurrency, activeSteps: open.size };
  return instanceEvent("step:start", at, instanceFacts(id, info), measured, { step, attempt });
}

/** Told by a runner that was asked for an instance without having its code. */
export function workflowPark(
  { id, info }: Pick<Running, "id" | "info">,
  at: Timestamp,
  reason: "missing" | "changed",
): TelemetryEvent {
  return instanceEvent("workflow:park", at, instanceFacts(id, info), {}, { reason });
}

/** Told once by a runner that is ready. */
export function runnerInit(runner: string, runnerId: string, at: Timestamp): TelemetryEvent {
  return { name: "runner:init", measurements: { systemTime: at }, metadata: { runner, runnerId } };
}
