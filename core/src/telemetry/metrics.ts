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

type Label<Name extends TelemetryName> = keyof TelemetryEvent<Name>["metadata"] & string;

const ATTEMPT_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** From a tenth of a second to a week: people are waited for. */
const RUN_BUCKETS_S = [0.1, 0.5, 1, 5, 10, 60, 600, 3_600, 21_600, 86_400, 604_800];

function counter<Name extends TelemetryName>(
  name: string,
  event: Name,
  help: string,
  ...labels: Label<Name>[]
): Metric {
  return { name, help, type: "counter", event, labels } as unknown as Metric;
}

function histogram<Name extends TelemetryName>(
  name: string,
  event: Name,
  value: keyof TelemetryEvent<Name>["measurements"],
  buckets: readonly number[],
  help: string,
  ...labels: Label<Name>[]
): Metric {
  return { name, help, type: "histogram", event, value, unit: "seconds", labels, buckets } as unknown as Metric;
}

function makeMetrics(): Metric[] {
  const labels = ["workflow"] as const;
  const help = "Steps that run, wait or choose in the instance that advanced last.";
  return [
    counter("workflows_started", "workflow:start", "Runs that began.", "workflow"),
    counter("workflows_completed", "workflow:stop", "Runs that completed.", "workflow"),
    counter("workflows_failed", "workflow:exception", "Runs that failed.", "workflow", "failedStep"),
    histogram("workflow_duration", "workflow:stop", "durationMs", RUN_BUCKETS_S, "Of completed runs.", "workflow"),
    histogram("step_duration", "step:stop", "durationMs", ATTEMPT_BUCKETS_S, "Of good attempts.", "workflow", "step"),
    counter("step_failures", "step:exception", "Attempts that failed.", "workflow", "step", "kind"),
    counter("step_waits", "step:async", "Steps that began to wait.", "workflow", "step"),
    histogram(
      "step_wait",
      "step:resume",
      "waitDurationMs",
      RUN_BUCKETS_S,
      "Of ended waits.",
      "workflow",
      "step",
      "source",
    ),
    { name: "active_steps", help, type: "gauge", event: "engine:advance", value: "activeSteps", labels },
    counter("step_retries", "step:retry", "Steps to be run again.", "workflow", "step", "reason"),
    counter("workflows_cancelled", "workflow:cancel", "Runs that were cancelled.", "workflow"),
    counter("compensations", "step:compensate", "Changes of compensations.", "workflow", "step", "status"),
    counter("workflows_parked", "workflow:park", "Times that code was not here.", "workflow", "reason"),
  ];
}

/** The original's nine, in its order, and after them what is told here beyond it. */
export const METRICS: readonly Metric[] = /* @__PURE__ */ makeMetrics();
