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

  function seriesOf(metric: Metric, { metadata }: TelemetryEvent): Recorded {
    const all = recorded.get(metric) as Map<string, Recorded>;
    const values = metric.labels.map((label) => String((metadata as Record<string, unknown>)[label] ?? ""));
    const key = JSON.stringify(values);
    let series = all.get(key);
    if (series === undefined) {
      const labels = metric.labels.map((label, index) => [label, values[index] as string] as const);
      series = { labels, value: 0, count: 0, counts: (metric.buckets ?? []).map(() => 0) };
      all.set(key, series);
    }
    return series;
  }

  function record(metric: Metric, event: TelemetryEvent): void {
    const measured = metric.value === undefined ? 1 : (event.measurements as Record<string, unknown>)[metric.value];
    if (typeof measured !== "number" || !Number.isFinite(measured)) return;
    const value = metric.unit === "seconds" ? measured / 1_000 : measured;
    const series = seriesOf(metric, event);
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
