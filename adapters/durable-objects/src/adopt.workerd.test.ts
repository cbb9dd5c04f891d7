import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { type AnyWorkflow, defineStep, defineWorkflow, done, type, wait, waitForEvent } from "@hephaestus/core";
import { expect, it, vi } from "vitest";
import { beWholeBeforeEach, crash, ringAnew, runs, stubOf } from "../test/helpers.ts";
import { deploy, index, timing } from "../test/worker.ts";

beWholeBeforeEach();

const step = (name: string) =>
  defineStep({
    name,
    execution: "inline",
    run: ({ connectors, idempotencyKey }) => connectors.witness.ran(name, idempotencyKey),
  });
const [first, extra] = [step("first"), step("extra")];
const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
const nap = wait({ name: "nap", for: { milliseconds: 600 } });
const common = { name: "adopted", input: type<unknown>(), unique: { key: "n" }, start: first } as const;
const before = defineWorkflow({
  ...common,
  transitions: ({ on }) => [on(first, { done: [hold, nap] }), on(hold, { go: done }), on(nap, { done })],
});
/** The same with a step more at the end, which both branches lead to. */
const after = defineWorkflow({
  ...common,
  transitions: ({ on }) => [
    on(first, { done: [hold, nap] }),
    on(hold, { go: extra }),
    on(nap, { done: extra }),
    on(extra, { done }),
  ],
});
const withoutHold = defineWorkflow({
  ...common,
  transitions: ({ on }) => [on(first, { done: nap }), on(nap, { done })],
});
const another = defineWorkflow({ ...common, name: "another", transitions: ({ on }) => [on(first, { done })] });

const rowOf = (id: string) => index.puts.findLast((row) => row.id === id);
const alarmOf = (id: string) => runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());

/** An instance that was begun by other code than the worker has now. */
async function parked(key: string, code: AnyWorkflow = after) {
  const started = await deploy(before).for(before).start(key, {});
  await vi.waitUntil(() => rowOf(started.id)?.status === "waiting");
  await evictDurableObject(stubOf(started.id));
  return { engine: deploy(code), id: started.id };
}

it("what is parked goes on in its object under the code that it is adopted by, joins and all", async () => {
  const { engine, id } = await parked("a1");
  const old = rowOf(id)?.fingerprint;
  await ringAnew(id);
  expect(await engine.get(id)).toMatchObject({ parked: true, status: "waiting" });
  await Promise.all([engine.adopt(id, { id: "once" }), engine.adopt(id, { id: "once" })]);
  await engine.adopt(id, { id: "once" });
  expect(
    (await engine.history(id)).filter((entry) => entry.type === "command" && entry.command === "adopt"),
  ).toHaveLength(1);
  expect(await engine.get(id)).toMatchObject({ parked: false, status: "waiting" });
  // Lists show at once which code it runs under.
  await vi.waitUntil(() =>
    index.puts.some((row) => row.id === id && row.fingerprint !== old && row.current.length === 2),
  );
  expect(await engine.resume(id, "go")).toBe("delivered");
  await vi.waitUntil(async () => (await engine.get(id)).status === "completed", { timeout: 20_000 });
  expect(runs("a1")).toEqual(["first", "extra"]);
});

it("the index is told, and the alarm rings for its timers again, also where the object is lost at once", async () => {
  const { engine, id } = await parked("a2");
  const old = rowOf(id)?.fingerprint;
  await ringAnew(id);
  await vi.waitUntil(async () => ((await alarmOf(id)) ?? 0) > Date.now() + timing.parkedMs / 2);
  index.hanging = true;
  await engine.adopt(id);
  await crash(id);
  index.hanging = false;
  // No later than the watchdog would ring: not as rarely as for what is parked.
  expect(await alarmOf(id)).toBeLessThanOrEqual(Date.now() + timing.watchdogMs);
  await ringAnew(id);
  await vi.waitUntil(async () => (await engine.get(id)).steps.nap?.status === "completed", { timeout: 20_000 });
  await vi.waitUntil(() => rowOf(id)?.current.join() === "hold");
  expect(rowOf(id)?.fingerprint).not.toBe(old);
});

it("an event that came while it was parked is taken after that", async () => {
  const { engine, id } = await parked("a3");
  expect(await engine.resume(id, "go")).toBe("queued");
  await engine.adopt(id);
  await vi.waitUntil(async () => (await engine.get(id)).status === "completed", { timeout: 20_000 });
  expect(runs("a3")).toEqual(["first", "extra"]);
});

it("code that has lost what was touched is refused with what is missing, and the instance stays as it was", async () => {
  const { engine, id } = await parked("a4", withoutHold);
  await expect(engine.adopt(id)).rejects.toMatchObject({ code: "PARKED", details: { id, lost: "step hold" } });
  expect(await engine.get(id)).toMatchObject({ parked: true, status: "waiting" });
});

it("where no code of its version is here, there is nothing to adopt it by", async () => {
  const { engine, id } = await parked("a5", another);
  await expect(engine.adopt(id)).rejects.toMatchObject({ code: "PARKED" });
});
