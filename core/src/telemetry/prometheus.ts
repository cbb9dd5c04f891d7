import type { MetricSeries, MetricSnapshot } from "./metric-recorder.ts";

/** The content type of what `toPrometheus` writes. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Writes metrics in Prometheus' text exposition format, version 0.0.4: prefix, name, unit, and `_total` for a counter.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @example
 * toPrometheus(recordMetrics(telemetry).snapshot());
 * // # HELP hephaestus_workflows_started_total Runs that began.
 * // # TYPE hephaestus_workflows_started_total counter
 * // hephaestus_workflows_started_total{workflow="order_flow"} 3
 */
export function toPrometheus(snapshots: readonly MetricSnapshot[], prefix = "hephaestus_"): string {
  const lines: string[] = [];
  for (const { metric, series } of snapshots) {
    const { help, type, unit, buckets = [] } = metric;
    const name = prefix + metric.name + (unit ? `_${unit}` : "") + (type === "counter" ? "_total" : "");
    lines.push(`# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}`, `# TYPE ${name} ${type}`);
    for (const { labels, value, count, counts } of series) {
      const sample = (suffix: string, sampled: number, more: MetricSeries["labels"] = []) =>
        lines.push(`${name}${suffix}${labelsOf([...labels, ...more])} ${sampled}`);
      if (type !== "histogram") {
        sample("", value);
        continue;
      }
      let below = 0;
      for (const [index, bound] of buckets.entries()) {
        below += counts[index] ?? 0;
        sample("_bucket", below, [["le", String(bound)]]);
      }
      sample("_bucket", count, [["le", "+Inf"]]);
      sample("_sum", value);
      sample("_count", count);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

function labelsOf(labels: MetricSeries["labels"]): string {
  const pairs = labels.map(([label, text]) => `${snakeCase(label)}="${text.replace(/[\\"\n]/g, escaped)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}

function snakeCase(label: string): string {
  return label.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
