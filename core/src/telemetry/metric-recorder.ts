import type { TelemetryBus } from "./bus.ts";
import type { TelemetryEvent, TelemetryName } from "./events.ts";
import { METRICS, type Metric } from "./metrics.ts";

/** What was recorded of one metric under one set of labels. */
export interface MetricSeries {
  /** In the order of the metric's labels. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** A counter's count, a gauge's last value, a histogram's sum. */
  readonly value: number;
  /** How many values were recorded. */
  readonly count: number;
  /** How many of them fell into each bucket and into none below it; those over the last bound are in none. */
  readonly counts: readonly number[];
}

export interface MetricSnapshot {
  readonly metric: Metric;
  readonly series: readonly MetricSeries[];
}

export interface MetricRecorder {
  /** What was recorded so far, for an exporter. */
  snapshot(): readonly MetricSnapshot[];
  detach(): void;
}

type Recorded = { -readonly [Field in keyof MetricSeries]: MetricSeries[Field] } & { readonly counts: number[] };

/**
 * Records metrics of what a bus is told, in memory.
 * @example
 * const recorder = recordMetrics(telemetry);
 * app.get("/metrics", (c) => c.text(toPrometheus(recorder.snapshot()), 200, { "content-type": PROMETHEUS_TYPE }));
 */
export function recordMetrics(
  bus: Pick<TelemetryBus, "attach">,
  { id = "metrics", metrics = METRICS }: { readonly id?: string; readonly metrics?: readonly Metric[] } = {},
): MetricRecorder {
  const recorded = new Map(metrics.map((metric) => [metric, new Map<string, Recorded>()]));
  const byEvent = new Map<TelemetryName, Metric[]>();
  for (const metric of metrics) byEvent.set(metric.event, [...(byEvent.get(metric.event) ?? []), metric]);

  function record(metric: Metric, { measurements, metadata }: TelemetryEvent): void {
    const measured = metric.value === undefined ? 1 : (measurements as Record<string, unknown>)[metric.value];
    if (typeof measured !== "number" || !Number.isFinite(measured)) return;
    const value = metric.unit === "seconds" ? measured / 1_000 : measured;
    const labels = metric.labels.map(
      (name) => [name, String((metadata as Record<string, unknown>)[name] ?? "")] as const,
    );
    const all = recorded.get(metric) as Map<string, Recorded>;
    const key = JSON.stringify(labels);
    const series = all.get(key) ?? { labels, value: 0, count: 0, counts: (metric.buckets ?? []).map(() => 0) };
    all.set(key, series);
    series.value = metric.type === "gauge" ? value : series.value + value;
    series.count += 1;
    const bucket = metric.buckets?.findIndex((bound) => value <= bound) ?? -1;
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] as number) + 1;
  }

  const detach = bus.attach(id, [...byEvent.keys()], (event: TelemetryEvent) => {
    for (const metric of byEvent.get(event.name) ?? []) record(metric, event);
  });
  return {
    snapshot: () =>
      [...recorded].map(([metric, all]) => ({
        metric,
        series: [...all.values()].map((series) => ({ ...series, counts: [...series.counts] })),
      })),
    detach,
  };
}
