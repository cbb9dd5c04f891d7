import { runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { beWholeBeforeEach, engine, stubOf } from "../test/helpers.ts";
import { callsOf, gateOf, index, lossy, timing, witnessed } from "../test/worker.ts";
import {
  chain,
  chainByQueue,
  chainOfFour,
  chainWithEvent,
  chainWithWait,
  fanOut,
  fleeting,
  waiting,
} from "../test/workflows.ts";
import { writesOf } from "../test/write-counter.ts";
import costs from "./costs.json" with { type: "json" };

// What is billed, counted at the platform's own interfaces: what each of the engine's parts adds to a workflow.
beWholeBeforeEach();

/** What an instance has cost once it is at rest and the index knows. */
async function costOf(id: string, status = "completed") {
  await vi.waitFor(async () => expect((await index.query({ id })).items[0]?.status).toBe(status), { timeout: 20_000 });
  await runInDurableObject(stubOf(id), (_, { storage }) => storage.sync());
  // The alarm is settled in the turn in which the index has answered.
  await vi.waitUntil(async () => {
    const alarm = await runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());
    return alarm === null || alarm > Date.now() + timing.watchdogMs;
  });
  const { kv, alarms, sql, rings } = writesOf(id);
  return {
    rowsWritten: kv + alarms + sql,
    requests: callsOf(id).length + rings,
    indexWrites: index.puts.filter((row) => row.id === id).length,
    queueMessages: lossy.sent.filter((message) => message.object === id).length,
  };
}

it("three inline steps", async () => {
  const { id } = await engine.for(chain).start("cost", {});
  const cost = await costOf(id);
  expect(cost).toEqual(costs.threeInlineSteps);
  expect(cost.rowsWritten).toBeLessThanOrEqual(6);
});

it("one more inline step: one row, and nothing else", async () => {
  const { id } = await engine.for(chainOfFour).start("cost", {});
  expect(await costOf(id)).toEqual(costs.fourInlineSteps);
  expect(costs.fourInlineSteps.rowsWritten - costs.threeInlineSteps.rowsWritten).toBe(1);
});

it("a step on the queue instead of inline: no row more, and its message, claim and report", async () => {
  const { id } = await engine.for(chainByQueue).start("cost", {});
  expect(await costOf(id)).toEqual(costs.oneStepOnTheQueue);
  expect(costs.oneStepOnTheQueue.rowsWritten).toBe(costs.threeInlineSteps.rowsWritten);
  expect(callsOf(id)).toEqual(["start", "claim", "report"]);
});

it("twenty steps on the queue: one commit, one claim and one report a batch", async () => {
  const { id } = await engine.for(fanOut).start("cost", {});
  const { rowsWritten, requests, ...rest } = await costOf(id);
  const batches = callsOf(id).filter((method) => method === "claim").length;
  expect(callsOf(id).filter((method) => method === "report").length).toBe(batches);
  expect(rest).toEqual({ indexWrites: 1, queueMessages: 20 });
  // Start, split, join and the alarm twice; then one for each batch: here one or few, as the queue cuts them.
  expect([rowsWritten, requests]).toEqual([5 + batches, 1 + 2 * batches]);
  expect(batches).toBeLessThanOrEqual(20);
});

it("a wait: at most three rows, a request, and the index once more", async () => {
  const { id } = await engine.for(chainWithWait).start("cost", {});
  const cost = await costOf(id);
  expect(cost).toEqual(costs.threeInlineStepsAndAWait);
  expect(cost.rowsWritten - costs.threeInlineSteps.rowsWritten).toBeLessThanOrEqual(3);
});

it("an event that comes early: at most two rows, and a request", async () => {
  const started = await engine.for(chainWithEvent).start("early", {});
  await vi.waitUntil(() => witnessed.some((one) => one.step === "gated"));
  const before = { ...writesOf(started.id) };
  expect(await started.resume("yes", { by: "x" })).toBe("queued");
  expect(writesOf(started.id)).toEqual({ ...before, kv: before.kv + 1 });
  await runInDurableObject(stubOf(started.id), () => gateOf("gated@1").resolve());
  const cost = await costOf(started.id);
  expect(cost).toEqual(costs.threeInlineStepsAndAnEarlyEvent);
  expect(cost.rowsWritten - costs.threeInlineSteps.rowsWritten).toBeLessThanOrEqual(2);
});

it("an event that is waited for", async () => {
  const started = await engine.for(waiting).start("waited", {});
  expect(await costOf(started.id, "waiting")).toEqual(costs.startOfAWaitForAnEvent);
  await started.resume("no");
  expect(await costOf(started.id)).toEqual(costs.waitForAnEvent);
});

it("retention: an alarm that rings, the tombstone, and what is deleted", async () => {
  const started = await engine.for(fleeting).start("cost", {});
  await vi.waitUntil(
    () => runInDurableObject(stubOf(started.id), (_, { storage }) => [...storage.kv.list()].length === 1),
    { timeout: 20_000 },
  );
  await vi.waitUntil(async () => (await index.query({ id: started.id })).items.length === 0);
  await runInDurableObject(stubOf(started.id), (_, { storage }) => storage.sync());
  await vi.waitUntil(() => writesOf(started.id).alarms === 4);
  const { kv, alarms, rings } = writesOf(started.id);
  // One step, its alarm, and then: the alarm twice, the tombstone, and two records deleted.
  expect({ rowsWritten: kv + alarms, rings }).toEqual({ rowsWritten: 2 + 2 + 5, rings: 1 });
});
