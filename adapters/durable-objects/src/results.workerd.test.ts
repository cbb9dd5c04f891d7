import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { beWholeBeforeEach, crash, engine, runs, stubOf } from "../test/helpers.ts";
import { gateOf, timing } from "../test/worker.ts";
import { sides } from "../test/workflows.ts";

beWholeBeforeEach();

const rowsOf = (id: string) => runInDurableObject(stubOf(id), (_, { storage }) => [...storage.kv.list()].length);
const openGate = (id: string, attempt: number) =>
  runInDurableObject(stubOf(id), () => gateOf(`slow_side@${attempt}`).resolve());
const quickRuns = (key: string) => runs(key).filter((step) => step === "quick_side").length;

/** An instance of which one side has ended, while the other runs. */
async function halfWay(key: string) {
  const started = await engine.for(sides).start(key, {});
  await vi.waitUntil(() => quickRuns(key) === 1);
  return started;
}

/** Loses the object, and has the run go on to its end. */
async function loseAndEnd(id: string): Promise<void> {
  await crash(id);
  await runDurableObjectAlarm(stubOf(id));
  await openGate(id, 2);
  await vi.waitUntil(async () => (await engine.get(id)).status === "completed", { timeout: 20_000 });
}

it("a result by which nothing begins is stored with the next one: one row", async () => {
  timing.resultsMs = 60_000;
  const { id } = await halfWay("together");
  expect(await rowsOf(id)).toBe(1);
  await openGate(id, 1);
  await vi.waitUntil(async () => (await rowsOf(id)) > 1);
  const view = await engine.get(id);
  expect([view.status, await rowsOf(id)]).toEqual(["completed", 3]);
  expect(view.steps.quick_side?.result).toEqual({ from: "quick_side" });
  expect(runs("together")).toEqual(["one", "quick_side", "join"]);
});

it("with its object it is lost, and its step runs again", async () => {
  timing.resultsMs = 60_000;
  const { id } = await halfWay("lost-result");
  await loseAndEnd(id);
  expect(quickRuns("lost-result")).toBe(2);
});

it("whoever sees it has it stored before", async () => {
  timing.resultsMs = 60_000;
  for (const [key, look] of [
    ["got", (id: string) => engine.get(id)],
    ["read", (id: string) => engine.history(id)],
  ] as const) {
    const { id } = await halfWay(key);
    expect(JSON.stringify(await look(id))).toContain('{"from":"quick_side"}');
    await loseAndEnd(id);
    expect(quickRuns(key)).toBe(1);
  }
});

it("a subscriber is told of what is stored", async () => {
  timing.resultsMs = 60_000;
  const told: string[] = [];
  const stop = engine.subscribe(engine.for(sides).idOf("told"), (change) => told.push(JSON.stringify(change)));
  await vi.waitUntil(() => told.length > 0);
  const { id } = await halfWay("told");
  await vi.waitUntil(() => told.some((change) => change.includes("quick_side")));
  await loseAndEnd(id);
  stop();
  expect(quickRuns("told")).toBe(1);
});

it("it is stored after a while by itself; at once where that is nought", async () => {
  for (const ms of [20, 0]) {
    timing.resultsMs = ms;
    const key = `after${ms}`;
    const { id } = await halfWay(key);
    await vi.waitUntil(async () => (await rowsOf(id)) === 2);
    await loseAndEnd(id);
    expect(quickRuns(key)).toBe(1);
  }
});
