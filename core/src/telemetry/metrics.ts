import type { TelemetryEvent, TelemetryName } from "./events.ts";

/** What to count or measure of one event, as data: any exporter can read it. */
export type Metric<Name extends TelemetryName = TelemetryName> = {
  readonly [N in Name]: {
    /** In snake case, without prefix and unit: an exporter adds what its world expects. */
    readonly name: string;
    readonly help: string;
    /** A counter adds 1 for each event, or what it measures; a gauge keeps the last; a histogram counts by size. */
    readonly type: "counter" | "gauge" | "histogram";
    readonly event: N;
    /** The measurement that is recorded; events that know none are left out. */
    readonly value?: keyof TelemetryEvent<N>["measurements"];
    /** Milliseconds are recorded as seconds. */
    readonly unit?: "seconds";
    /** Fields of the metadata, each a label. */
    readonly labels: readonly (keyof TelemetryEvent<N>["metadata"] & string)[];
    /** Upper bounds of a histogram's buckets in its unit, rising. */
    readonly buckets?: readonly number[];
  };
}[Name];

const ATTEMPT = {
  type: "histogram",
  unit: "seconds",
  value: "durationMs",
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
} as const;

/** From a tenth of a second to a week: people are waited for. */
const RUN = { ...ATTEMPT, buckets: [0.1, 0.5, 1, 5, 10, 60, 600, 3_600, 21_600, 86_400, 604_800] } as const;
const WAIT = { ...RUN, value: "waitDurationMs" } as const;
const LAST = { type: "gauge", value: "activeSteps" } as const;
const COUNT = { type: "counter" } as const;
const RUN_LABELS = ["workflow"] as const;
const STEP_LABELS = ["workflow", "step"] as const;

/** The original's nine, in its order, and after them what is told here beyond it. */
export const METRICS: readonly Metric[] = [
  { ...COUNT, name: "workflows_started", help: "Runs that began.", event: "workflow:start", labels: RUN_LABELS },
  { ...COUNT, name: "workflows_completed", help: "Runs that completed.", event: "workflow:stop", labels: RUN_LABELS },
  {
    ...COUNT,
    name: "workflows_failed",
    help: "Failed.",
    event: "workflow:exception",
    labels: ["workflow", "failedStep"],
  },
  { ...RUN, name: "workflow_duration", help: "From start to completion.", event: "workflow:stop", labels: RUN_LABELS },
  { ...ATTEMPT, name: "step_duration", help: "Attempts that succeeded.", event: "step:stop", labels: STEP_LABELS },
  { ...COUNT, name: "step_failures", help: "By kind.", event: "step:exception", labels: ["workflow", "step", "kind"] },
  { ...COUNT, name: "step_waits", help: "Steps that began to wait.", event: "step:async", labels: STEP_LABELS },
  { ...WAIT, name: "step_wait", help: "By source.", event: "step:resume", labels: ["workflow", "step", "source"] },
  { ...LAST, name: "active_steps", help: "Of the last instance.", event: "engine:advance", labels: RUN_LABELS },
  { ...COUNT, name: "step_retries", help: "By reason.", event: "step:retry", labels: ["workflow", "step", "reason"] },
  { ...COUNT, name: "workflows_cancelled", help: "Runs cancelled.", event: "workflow:cancel", labels: RUN_LABELS },
  {
    ...COUNT,
    name: "compensations",
    help: "By status.",
    event: "step:compensate",
    labels: ["workflow", "step", "status"],
  },
  { ...COUNT, name: "workflows_parked", help: "By reason.", event: "workflow:park", labels: ["workflow", "reason"] },
];
