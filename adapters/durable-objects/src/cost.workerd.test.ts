import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { beWholeBeforeEach, engine, expectNothingDue, runs, stubOf } from "../test/helpers.ts";
import { callsOf, edge, gateOf, index, lossy, witnessed } from "../test/worker.ts";
import {
  chain,
  chainByQueue,
  chainWithEvent,
  chainWithWait,
  fanOut,
  fleeting,
  outside3,
  outside4,
  waiting,
} from "../test/workflows.ts";
import { writesOf } from "../test/write-counter.ts";
import { objectName } from "./object-name.ts";

// What is billed, counted at the platform's own interfaces: what each of the engine's parts adds to a workflow.
beWholeBeforeEach();

/** What an instance has cost once it is at rest, the index knows, and the alarm that it leaves over has rung. */
async function costOf(id: string, status = "completed") {
  const isRow = (row: { readonly id: string }) => row.id === id;
  await vi.waitFor(() => expect(index.puts.findLast(isRow)?.status).toBe(status), { timeout: 20_000 });
  await expectNothingDue(id);
  const { kv, alarms, sql, rings } = writesOf(id);
  return {
    rowsWritten: kv + alarms + sql,
    requests: callsOf(id).length + rings,
    indexWrites: index.puts.filter(isRow).length,
    queueMessages: lossy.sent.filter((message) => message.object === id).length,
  };
}

it("three inline steps: at most six rows, here two, since all of them end in the turn in which they began", async () => {
  const { id } = await engine.for(chain).start("cost", {});
  const cost = await costOf(id);
  // A call, and the alarm that was armed with the first record.
  expect(cost).toEqual({ rowsWritten: 2, requests: 2, indexWrites: 1, queueMessages: 0 });
});

it("without an index: what a bare object asks of its storage that writes three rows, and no more", async () => {
  const { id } = await edge.engine(env, "bare").for(chain).start("asks", {});
  await vi.waitUntil(() => runs("asks").length === 3);
  const name = objectName({ namespace: "bare", id });
  await runInDurableObject(stubOf(name), () => {});
  const { asked, kv, alarms } = writesOf(name);
  expect({ asked, kv, alarms }).toEqual({ asked: ["list", "put", "put"], kv: 2, alarms: 0 });
});

it("an inline step that waits for something outside: one row", async () => {
  const costs = [];
  for (const workflow of [outside3, outside4]) costs.push(await costOf((await engine.for(workflow).start("c", {})).id));
  expect(costs.map((cost) => cost.rowsWritten)).toEqual([5, 6]);
  expect(costs.map((cost) => cost.requests)).toEqual([2, 2]);
});

it("a step on the queue: a row at most, its message, its claim and its report", async () => {
  const { id } = await engine.for(chainByQueue).start("cost", {});
  const { rowsWritten, ...rest } = await costOf(id);
  // The alarm; what was before it, and from its report on.
  expect(rowsWritten).toBe(4);
  expect(rest).toEqual({ requests: 4, indexWrites: 1, queueMessages: 1 });
  expect(callsOf(id)).toEqual(["start", "claim", "report"]);
});

it("twenty steps on the queue: one commit, one claim and one report a batch", async () => {
  const { id } = await engine.for(fanOut).start("cost", {});
  const { rowsWritten, requests, ...rest } = await costOf(id);
  const batches = callsOf(id).filter((method) => method === "claim").length;
  expect(callsOf(id).filter((method) => method === "report").length).toBe(batches);
  expect(rest).toEqual({ indexWrites: 1, queueMessages: 20 });
  // The alarm, start and split, and one for each batch: here one or few, as the queue cuts them; join shares the last.
  expect(rowsWritten).toBeGreaterThanOrEqual(2 + batches);
  expect(rowsWritten).toBeLessThanOrEqual(3 + batches);
  expect(requests).toBe(2 + 2 * batches);
  expect(batches).toBeLessThanOrEqual(20);
});

it("a wait: at most three rows more", async () => {
  const { id } = await engine.for(chainWithWait).start("cost", {});
  // The alarm is set to the end of the wait, and again when it rings; what follows then, and its end.
  const { rowsWritten, indexWrites } = await costOf(id);
  expect({ rowsWritten, indexWrites }).toEqual({ rowsWritten: 6, indexWrites: 2 });
});

it("an event that comes early: at most two rows, and a request", async () => {
  const started = await engine.for(chainWithEvent).start("early", {});
  await vi.waitUntil(() => witnessed.some((one) => one.step === "gated"));
  const before = { ...writesOf(started.id) };
  expect(await started.resume("yes", { by: "x" })).toBe("queued");
  expect(writesOf(started.id)).toMatchObject({ kv: before.kv + 1, alarms: before.alarms });
  await runInDurableObject(stubOf(started.id), () => gateOf("gated@1").resolve());
  const { rowsWritten, requests, indexWrites } = await costOf(started.id);
  expect({ rowsWritten, requests, indexWrites }).toEqual({ rowsWritten: 5, requests: 3, indexWrites: 1 });
});

it("an event that is waited for: the record and the alarm, at its start and when it comes", async () => {
  const started = await engine.for(waiting).start("waited", {});
  expect(await costOf(started.id, "waiting")).toMatchObject({ rowsWritten: 2, requests: 2, indexWrites: 1 });
  await started.resume("no");
  expect(await costOf(started.id)).toMatchObject({ rowsWritten: 4, requests: 4, indexWrites: 2 });
});

it("looking at an instance that waits writes nothing, also where its object is fresh each time", async () => {
  const started = await engine.for(waiting).start("looked-at", {});
  await costOf(started.id, "waiting");
  const { kv, alarms } = writesOf(started.id);
  for (let times = 0; times < 3; times++) {
    await evictDurableObject(stubOf(started.id));
    expect((await started.get()).status).toBe("waiting");
  }
  expect(writesOf(started.id)).toMatchObject({ kv, alarms });
});

it("retention: an alarm that rings, the tombstone, and what is deleted", async () => {
  const started = await engine.for(fleeting).start("cost", {});
  await vi.waitUntil(async () => (await started.get().catch(() => undefined)) === undefined, { timeout: 20_000 });
  await vi.waitUntil(async () => (await index.query({ id: started.id })).items.length === 0);
  const storedKeys = () => runInDurableObject(stubOf(started.id), (_, { storage }) => [...storage.kv.list()].length);
  await vi.waitUntil(async () => (await storedKeys()) === 1);
  await vi.waitUntil(() => writesOf(started.id).alarms === 4);
  const { kv, alarms, rings } = writesOf(started.id);
  // The run in one row, and its alarm; then: the alarm three times, the tombstone, and the run's row deleted.
  expect({ rowsWritten: kv + alarms, rings }).toEqual({ rowsWritten: 2 + 5, rings: 1 });
});
