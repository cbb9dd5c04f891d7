import { describe, expect, it } from "vitest";
import { telemetryBus } from "./bus.ts";
import type { TelemetryEvent } from "./events.ts";
import { recordMetrics } from "./metric-recorder.ts";
import type { Metric } from "./metrics.ts";
import { toPrometheus } from "./prometheus.ts";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** Reads the format as a scraper does: strictly, a line at a time. */
function parse(text: string) {
  expect(text.endsWith("\n")).toBe(true);
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name = "", rest = ""] = comment;
      const known = kind === "HELP" ? helps : types;
      expect(known.has(name), `one ${kind} of ${name}`).toBe(false);
      known.set(name, rest);
      continue;
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line);
    expect(sample, `a sample: ${line}`).not.toBeNull();
    const [, name = "", pairs = "", value = ""] = sample ?? [];
    const labels: Record<string, string> = {};
    for (const [, label = "", quoted = ""] of pairs.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      labels[label] = quoted.replace(/\\./g, (pair) => ESCAPES[pair] ?? "?");
    }
    const family = name.replace(/_(?:bucket|sum|count)$/, "");
    expect(types.has(name) || types.get(family) === "histogram", `${name} has a type before it`).toBe(true);
    samples.push({ name, labels, value: Number(value) });
  }
  return { types, helps, samples };
}

function stop(durationMs: number, step = "a"): TelemetryEvent {
  return {
    name: "step:stop",
    measurements: { systemTime: 0, durationMs },
    metadata: {
      ...{ workflow: "flow", version: 1, id: "i", run: 1, telemetry: undefined },
      ...{ step, attempt: 1, event: "done", transitionsTo: [] },
    },
  };
}

function exported(events: readonly TelemetryEvent[], metrics?: readonly Metric[]) {
  const bus = telemetryBus();
  const recorder = recordMetrics(bus, metrics ? { metrics } : {});
  bus.emit(...events);
  return parse(toPrometheus(recorder.snapshot()));
}

const failed: TelemetryEvent = {
  name: "workflow:exception",
  measurements: { systemTime: 0, durationMs: 1, stepCount: 0, advanceCount: 1 },
  metadata: {
    ...{ workflow: "flow", version: 1, id: "i", run: 1, telemetry: undefined },
    ...{ kind: "error", reason: "no", code: undefined, stack: undefined, failedStep: undefined, runner: "local" },
  },
};

describe("Prometheus' text format", () => {
  it("has buckets that count everything below them, up to all", () => {
    const { samples, types } = exported([stop(5), stop(6), stop(40), stop(1_000_000)]);
    const name = "hephaestus_step_duration_seconds";
    expect(types.get(name)).toBe("histogram");
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    expect(buckets.slice(0, 4).map(({ labels, value }) => [labels.le, value])).toEqual([
      ["0.005", 1],
      ["0.01", 2],
      ["0.025", 2],
      ["0.05", 3],
    ]);
    expect(buckets.at(-1)).toMatchObject({ labels: { workflow: "flow", step: "a", le: "+Inf" }, value: 4 });
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual([...values].sort((one, other) => one - other));
    expect(samples.find((sample) => sample.name === `${name}_sum`)?.value).toBeCloseTo(1_000.051);
    expect(samples.find((sample) => sample.name === `${name}_count`)?.value).toBe(4);
  });

  it("names counters and labels as Prometheus does", () => {
    const { samples, types } = exported([failed]);
    expect(types.get("hephaestus_workflows_failed_total")).toBe("counter");
    expect(samples).toContainEqual({
      name: "hephaestus_workflows_failed_total",
      labels: { workflow: "flow", failed_step: "" },
      value: 1,
    });
  });

  it.each([`back\\slash`, `"quoted"`, "two\nlines", `all \\"\n\\n`, "ünï ☃", 'a,b}="c'])(
    "brings back the label %j",
    (step) => {
      const { samples } = exported([stop(1, step)]);
      expect(new Set(samples.map(({ labels }) => labels.step))).toEqual(new Set([step]));
    },
  );

  it("keeps a help text on its line, and writes a metric without labels", () => {
    const metric: Metric = { name: "n", help: 'one\ntwo \\ "q"', type: "counter", event: "step:stop", labels: [] };
    const { helps, samples } = exported([stop(1)], [metric]);
    expect(helps.get("hephaestus_n_total")).toBe(`one\\ntwo \\\\ "q"`);
    expect(samples).toEqual([{ name: "hephaestus_n_total", labels: {}, value: 1 }]);
  });

  it("takes another prefix", () => {
    expect(toPrometheus([{ metric: metricNamed("n"), series: [] }], "")).toBe(
      "# HELP n_total h\n# TYPE n_total counter\n",
    );
  });
});

function metricNamed(name: string): Metric {
  return { name, help: "h", type: "counter", event: "step:stop", labels: [] };
}
