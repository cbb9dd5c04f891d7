import type { TelemetryEvent, TelemetryName } from "./events.ts";

/** What to count or measure of one event, as data: any exporter can read it. */
export type Metric<Name extends TelemetryName = TelemetryName> = {
  readonly [N in Name]: {
    readonly name: string;
    readonly help: string;
    /** A counter adds 1 for each event; a gauge keeps the last value; a histogram counts values by size. */
    readonly type: "counter" | "gauge" | "histogram";
    /** Milliseconds are recorded as seconds. */
    readonly unit: "seconds" | undefined;
    readonly event: N;
    /** The measurement that is recorded; events that do not have it are left out. */
    readonly value: keyof TelemetryEvent<N>["measurements"] | undefined;
    /** Fields of the metadata, each a label. */
    readonly labels: readonly (keyof TelemetryEvent<N>["metadata"] & string)[];
    /** Upper bounds of a histogram's buckets, in its unit, rising. */
    readonly buckets: readonly number[] | undefined;
  };
}[Name];

const ATTEMPT_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** From a tenth of a second to a week: people are waited for. */
const RUN_BUCKETS_S = [0.1, 0.5, 1, 5, 10, 60, 600, 3_600, 21_600, 86_400, 604_800];

type Labels<Name extends TelemetryName> = Metric<Name>["labels"];

function counter<Name extends TelemetryName>(name: string, help: string, event: Name, labels: Labels<Name>): Metric {
  return {
    name,
    help,
    type: "counter",
    unit: undefined,
    event,
    value: undefined,
    labels,
    buckets: undefined,
  } as Metric;
}

function seconds<Name extends TelemetryName>(
  name: string,
  help: string,
  event: Name,
  value: Metric<Name>["value"],
  labels: Labels<Name>,
  buckets: readonly number[],
): Metric {
  return { name, help, type: "histogram", unit: "seconds", event, value, labels, buckets } as unknown as Metric;
}

const RUN = ["workflow"] as const;
const STEP = ["workflow", "step"] as const;

/** The original's nine, in its order, and after them what this engine tells beyond it. */
export const METRICS: readonly Metric[] = /* @__PURE__ */ (() => [
  counter("hephaestus_workflows_started_total", "Runs that were created.", "workflow:start", RUN),
  counter("hephaestus_workflows_completed_total", "Runs that completed.", "workflow:stop", RUN),
  counter("hephaestus_workflows_failed_total", "Runs that failed.", "workflow:exception", [...RUN, "failedStep"]),
  seconds(
    "hephaestus_workflow_duration_seconds",
    "From the start of a run to its completion.",
    "workflow:stop",
    "durationMs",
    RUN,
    RUN_BUCKETS_S,
  ),
  seconds(
    "hephaestus_step_duration_seconds",
    "Attempts that ended with an event.",
    "step:stop",
    "durationMs",
    STEP,
    ATTEMPT_BUCKETS_S,
  ),
  counter("hephaestus_step_failures_total", "Attempts that failed.", "step:exception", [...STEP, "kind"]),
  counter("hephaestus_step_waits_total", "Steps that began to wait.", "step:async", STEP),
  seconds(
    "hephaestus_step_wait_seconds",
    "How long steps waited.",
    "step:resume",
    "waitDurationMs",
    [...STEP, "source"],
    RUN_BUCKETS_S,
  ),
  {
    name: "hephaestus_active_steps",
    help: "Steps that run, wait or choose in the instance that advanced last.",
    type: "gauge",
    unit: undefined,
    event: "engine:advance",
    value: "activeSteps",
    labels: RUN,
    buckets: undefined,
  },
  counter("hephaestus_step_retries_total", "Steps to be run again.", "step:retry", [...STEP, "reason"]),
  counter("hephaestus_workflows_cancelled_total", "Runs that were cancelled.", "workflow:cancel", RUN),
  counter("hephaestus_step_compensations_total", "Compensations, by how they stand.", "step:compensate", [
    ...STEP,
    "status",
  ]),
  counter("hephaestus_workflows_parked_total", "Times that an instance's code was not here.", "workflow:park", [
    ...RUN,
    "reason",
  ]),
])();
