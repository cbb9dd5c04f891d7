import { describe, expect, it } from "vitest";
import { type TelemetryBus, telemetryBus } from "./bus.ts";
import type { TelemetryEvent } from "./events.ts";
import { type MetricRecorder, recordMetrics } from "./metric-recorder.ts";
import { METRICS, type Metric } from "./metrics.ts";

const facts = { workflow: "flow", version: 1, id: "i", run: 1, telemetry: undefined };

function stop(durationMs: number | undefined, step = "a"): TelemetryEvent {
  return {
    name: "step:stop",
    measurements: { systemTime: 0, durationMs },
    metadata: { ...facts, step, attempt: 1, event: "done", transitionsTo: [] },
  };
}

function advance(activeSteps: number): TelemetryEvent {
  return {
    name: "engine:advance",
    measurements: { systemTime: 0, durationMs: 0, activeSteps, completedSteps: 0 },
    metadata: { ...facts, statusBefore: "running", statusAfter: "running", iteration: 2 },
  };
}

function recording(metrics?: readonly Metric[]): { bus: TelemetryBus; recorder: MetricRecorder } {
  const bus = telemetryBus();
  return { bus, recorder: recordMetrics(bus, metrics ? { metrics } : {}) };
}

function seriesOf(recorder: MetricRecorder, name: string) {
  return recorder.snapshot().find(({ metric }) => metric.name === name)?.series;
}

describe("the metrics", () => {
  it("are the original's nine and what is new", () => {
    expect(METRICS.slice(0, 9).map(({ event, type }) => `${type} ${event}`)).toEqual([
      "counter workflow:start",
      "counter workflow:stop",
      "counter workflow:exception",
      "histogram workflow:stop",
      "histogram step:stop",
      "counter step:exception",
      "counter step:async",
      "histogram step:resume",
      "gauge engine:advance",
    ]);
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
    for (const { buckets = [] } of METRICS) expect(buckets).toEqual([...buckets].sort((one, other) => one - other));
  });
});

describe("a recorder", () => {
  it("sorts durations into buckets, in seconds, apart by label", () => {
    const { bus, recorder } = recording();
    bus.emit(stop(5), stop(6), stop(1_000_000), stop(1, "b"));
    const [a, b] = seriesOf(recorder, "step_duration") ?? [];
    expect(a?.labels).toEqual([
      ["workflow", "flow"],
      ["step", "a"],
    ]);
    expect([a?.count, a?.value, a?.counts.slice(0, 2), b?.count]).toEqual([3, 1_000.011, [1, 1], 1]);
    expect(a?.counts.reduce((sum, count) => sum + count)).toBe(2);
  });

  it("leaves out what was not measured", () => {
    const { bus, recorder } = recording();
    bus.emit(stop(undefined));
    expect(seriesOf(recorder, "step_duration")).toEqual([]);
  });

  it("keeps the last value of a gauge", () => {
    const { bus, recorder } = recording();
    bus.emit(advance(3), advance(1));
    expect(seriesOf(recorder, "active_steps")).toMatchObject([{ value: 1, count: 2 }]);
  });

  it("records metrics of one's own, adding up what a counter measures", () => {
    const metric: Metric = {
      name: "busy",
      help: "",
      type: "counter",
      event: "step:stop",
      value: "durationMs",
      labels: [],
    };
    const { bus, recorder } = recording([metric]);
    bus.emit(stop(5), stop(7));
    expect(seriesOf(recorder, "busy")).toMatchObject([{ value: 12 }]);
    expect(bus.has("engine:advance")).toBe(false);
  });

  it("gives a copy, and stops when detached", () => {
    const { bus, recorder } = recording();
    bus.emit(stop(1));
    const before = recorder.snapshot();
    bus.emit(stop(1));
    recorder.detach();
    bus.emit(stop(1));
    expect(before.find(({ metric }) => metric.name === "step_duration")?.series[0]?.count).toBe(1);
    expect(seriesOf(recorder, "step_duration")?.[0]?.count).toBe(2);
    expect(bus.has()).toBe(false);
  });
});
