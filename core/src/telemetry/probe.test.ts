import { expect, it, vi } from "vitest";
import { applyRecord } from "../engine/run-state.ts";
import { defineStep, defineWorkflow, done, type } from "../index.ts";
import { engineRun } from "../testing/engine-run.ts";
import { telemetryBus } from "./bus.ts";
import type { TelemetryEvent } from "./events.ts";

const step = defineStep({ name: "step", run: () => null });
const flow = defineWorkflow({
  name: "flow",
  input: type<object>(),
  start: step,
  transitions: ({ on }) => [on(step, { done })],
});

function begun() {
  const run = engineRun(flow);
  const { workflow, version, fingerprint } = run.graph;
  run.do({ type: "start", commandId: "s", info: { workflow, version, fingerprint }, input: "{}" });
  return run;
}

it("tells of the runner, of attempts and of parked instances", () => {
  const bus = telemetryBus();
  const events: TelemetryEvent[] = [];
  bus.attach("all", "*", (event) => events.push(event));
  const probe = bus.probe({ runner: "local", runnerId: "r", at: 5 });
  const { state } = begun();
  probe.attemptStarted(state, 6, { step: "step", attempt: 1, concurrency: 2 });
  probe.parked(state, 7, "changed");
  const facts = { workflow: "flow", version: 1, id: "i", run: 1, telemetry: undefined };
  expect(events).toEqual([
    { name: "runner:init", measurements: { systemTime: 5 }, metadata: { runner: "local", runnerId: "r" } },
    {
      name: "step:start",
      measurements: { systemTime: 6, concurrency: 2, activeSteps: 1 },
      metadata: { ...facts, step: "step", attempt: 1 },
    },
    { name: "workflow:park", measurements: { systemTime: 7 }, metadata: { ...facts, reason: "changed" } },
  ]);
});

it("tells of a commit when asked to, after it was folded", () => {
  const bus = telemetryBus();
  const probe = bus.probe({ runner: "local", runnerId: "r", at: 0 });
  const run = begun();
  const { graph } = run;
  const [record] = run.records;
  const state = engineRun(flow).state;
  expect(probe.committed({ state, graph, now: 0 }, record!.changes), "nobody listens").toBeUndefined();
  const heard = vi.fn((event: TelemetryEvent<"workflow:start">) => [event.metadata.runner, state.status]);
  bus.attach("start", "workflow:start", heard);
  const tell = probe.committed({ state, graph, now: 0, input: `{"a":1}` }, record!.changes);
  applyRecord(state, record!, graph);
  expect(heard).not.toHaveBeenCalled();
  tell?.();
  expect(heard.mock.results.map(({ value }) => value)).toEqual([["local", "running"]]);
});

it("tells nothing of what is not there", () => {
  const bus = telemetryBus();
  const probe = bus.probe({ runner: "local", runnerId: "r", at: 0 });
  const heard = vi.fn();
  bus.attach("all", "*", heard);
  probe.parked({ id: "i", info: undefined, open: new Set() }, 0, "missing");
  expect(heard).not.toHaveBeenCalled();
});
