import { expect, it } from "vitest";
import { dyingStorage, engines, keyed, stage } from "../../test/stage.ts";
import {
  createHephaestus,
  done,
  memoryStorage,
  recordMetrics,
  telemetryBus,
  toPrometheus,
  type,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

function threeSteps() {
  const { plain } = stage();
  const [one, two, three] = [plain("one"), plain("two"), plain("three")];
  return keyed("flow", {
    start: one,
    on: ({ on }) => [on(one, { done: two }), on(two, { done: three }), on(three, { done })],
  });
}

it("tells what happens, in order, with the caller's own metadata", async () => {
  const flow = threeSteps();
  const telemetry = telemetryBus();
  const seen: { name: string; step?: unknown; telemetry: unknown }[] = [];
  telemetry.attach("test", "*", ({ name, metadata }) => {
    seen.push({
      name,
      step: (metadata as { step?: unknown }).step,
      telemetry: (metadata as { telemetry?: unknown }).telemetry,
    });
  });
  const engine = createHephaestus({ workflows: [flow], telemetry });
  await (await engine.for(flow).start("1", {}, { telemetry: { trace: "t1" } })).result();
  const names = seen
    .map(({ name }) => name)
    .filter((name) => name !== "engine:advance" && name !== "workflow:transition");
  expect(names).toEqual([
    "runner:init",
    "workflow:start",
    ...["step:start", "step:stop", "step:start", "step:stop", "step:start", "step:stop"],
    "workflow:stop",
  ]);
  expect(seen.filter(({ name }) => name === "step:stop").map(({ step }) => step)).toEqual(["one", "two", "three"]);
  expect(seen.slice(1).every((event) => JSON.stringify(event.telemetry) === '{"trace":"t1"}')).toBe(true);
  await engine.close();
});

it("tells each thing once, though answers are lost and another runner looks on", async () => {
  const flow = threeSteps();
  const { storage, faults } = dyingStorage(memoryStorage());
  let commits = 0;
  faults.loseAnswer = () => commits++ % 2 === 0;
  const telemetry = telemetryBus();
  const names: string[] = [];
  telemetry.attach("test", ["step:stop", "workflow:start", "workflow:stop"], (event) => {
    names.push(event.name);
  });
  const clock = virtualClock();
  const [one] = engines({ workflows: [flow], storage, clock, telemetry });
  const starting = one?.for(flow).start("1", {});
  await clock.advance(6_000);
  expect((await (await starting)?.get())?.status).toBe("completed");
  expect(names).toEqual(["workflow:start", "step:stop", "step:stop", "step:stop", "workflow:stop"]);
});

it("a handler that throws harms nothing", async () => {
  const flow = threeSteps();
  const telemetry = telemetryBus();
  telemetry.attach("bad", "*", () => {
    throw new Error("handler");
  });
  const engine = createHephaestus({ workflows: [flow], telemetry });
  const started = await engine.for(flow).start("1", {});
  await started.result();
  expect((await started.get()).status).toBe("completed");
  await engine.close();
});

it("counts in Prometheus' format", async () => {
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
  const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
  const telemetry = telemetryBus();
  const metrics = recordMetrics(telemetry);
  const engine = createHephaestus({ workflows: [flow], telemetry });
  const started = await engine.for(flow).start("1", {});
  await started.resume("go");
  await started.result();
  const text = toPrometheus(metrics.snapshot());
  expect(text).toMatch(/workflows_started_total\{workflow="flow".*\} 1/);
  expect(text).toMatch(/workflows_completed_total\{workflow="flow".*\} 1/);
  await engine.close();
});
