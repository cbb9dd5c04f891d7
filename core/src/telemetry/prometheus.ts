import type { MetricSeries, MetricSnapshot } from "./metric-recorder.ts";
import type { Metric } from "./metrics.ts";

/** The content type of what `toPrometheus` writes. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Writes metrics in Prometheus' text exposition format, version 0.0.4.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @example
 * toPrometheus(recordMetrics(telemetry).snapshot());
 * // # HELP hephaestus_workflows_started_total Runs that were created.
 * // # TYPE hephaestus_workflows_started_total counter
 * // hephaestus_workflows_started_total{workflow="order_flow"} 3
 */
export function toPrometheus(snapshots: readonly MetricSnapshot[]): string {
  return snapshots
    .map(({ metric, series }) => head(metric) + series.map((one) => lines(metric, one)).join(""))
    .join("");
}

function head({ name, help, type }: Metric): string {
  return `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}\n`;
}

function lines({ name, type, buckets = [] }: Metric, { labels, value, count, counts }: MetricSeries): string {
  if (type !== "histogram") return line(name, labels, value);
  let below = 0;
  const bucketLines = buckets.map((bound, index) => {
    below += counts[index] ?? 0;
    return line(`${name}_bucket`, [...labels, ["le", String(bound)]], below);
  });
  const all = line(`${name}_bucket`, [...labels, ["le", "+Inf"]], count);
  return bucketLines.join("") + all + line(`${name}_sum`, labels, value) + line(`${name}_count`, labels, count);
}

function line(name: string, labels: MetricSeries["labels"], value: number): string {
  const pairs = labels.map(([label, text]) => `${snakeCase(label)}="${text.replace(/[\\"\n]/g, escaped)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}

function snakeCase(label: string): string {
  return label.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
