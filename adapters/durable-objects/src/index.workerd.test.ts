import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { COMMAND_RETENTION_MS, type StoredRecord } from "@hephaestus/core";
import { headerOf } from "@hephaestus/core/testing/conformance";
import { describe, expect, it, vi } from "vitest";
import { beWholeBeforeEach, crash, engine, expectNothingDue, ringAnew, stubOf } from "../test/helpers.ts";
import { edge, gateOf, index, telemetry, timing, witnessed } from "../test/worker.ts";
import { chain, fleeting, slow, waiting } from "../test/workflows.ts";
import { writesOf } from "../test/write-counter.ts";

beWholeBeforeEach();

const rowsOf = async (id: string) => (await index.query({ id, order: "oldest" })).items;
const statusesOf = async (id: string) => (await rowsOf(id)).map((row) => row.status);
const isIn = (id: string, ...statuses: string[]) =>
  vi.waitFor(async () => expect(await statusesOf(id)).toEqual(statuses), { timeout: 20_000 });
const putsOf = (id: string) => index.puts.filter((row) => row.id === id).map((row) => row.status);
const alarmOf = (id: string) => runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());

/** Changes what is stored of an instance, as time or another deployment would. */
async function rewrite(id: string, change: (record: StoredRecord) => unknown): Promise<void> {
  await runInDurableObject(stubOf(id), (_, { storage }) => {
    for (const [key, record] of [...storage.kv.list<StoredRecord>({ prefix: "journal:" })]) {
      storage.kv.put(key, change(record));
    }
  });
  await evictDurableObject(stubOf(id));
}

async function loseAlarm(id: string): Promise<void> {
  await runInDurableObject(stubOf(id), (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(stubOf(id));
}

describe("the index", () => {
  it("is told when an instance comes to rest and at its end", async () => {
    const started = await engine.for(waiting).start("i1", { order: 7 });
    await isIn(started.id, "waiting");
    expect((await rowsOf(started.id))[0]).toMatchObject({ current: ["answer"], input: { order: 7 }, revision: 1 });
    await started.resume("no");
    await isIn(started.id, "completed");
    expect(putsOf(started.id)).toEqual(["waiting", "completed"]);
  });

  it("holds the results that the workflow declares, and no others", async () => {
    const started = await engine.for(chain).start("i6", {});
    await isIn(started.id, "completed");
    expect(index.puts.at(-1)?.results).toEqual({ two: JSON.stringify({ from: "two" }) });
    const found = await engine.list({ id: started.id, where: { "results.two.from": "two" } });
    expect(found.items.map((item) => item.id)).toEqual([started.id]);
  });

  it("is told once of a run that goes on, and again at its end", async () => {
    timing.watchdogMs = 20;
    const started = await engine.for(slow).start("long", {});
    await vi.waitUntil(() => writesOf(started.id).alarms >= 6, { timeout: 20_000 });
    expect(putsOf(started.id)).toEqual(["running"]);
    await runInDurableObject(stubOf(started.id), () => gateOf("gated@1").resolve());
    await isIn(started.id, "completed");
    expect(putsOf(started.id)).toEqual(["running", "completed"]);
  });

  it("catches up by itself after it was down", async () => {
    index.failing = true;
    const started = await engine.for(chain).start("i2", {});
    await started.result();
    expect(await rowsOf(started.id)).toEqual([]);
    index.failing = false;
    await isIn(started.id, "completed");
    await expectNothingDue(started.id);
  });

  it("catches up after it was down for so long that the object was loaded anew many times", async () => {
    timing.refreshMs = 60_000;
    index.failing = true;
    const started = await engine.for(waiting).start("i3", {});
    for (let times = 0; times < 10; times++) expect(await ringAnew(started.id)).toBe(true);
    expect(await rowsOf(started.id)).toEqual([]);
    index.failing = false;
    await ringAnew(started.id);
    await isIn(started.id, "waiting");
    await expectNothingDue(started.id);
  });

  it("catches up after a crash between the commit and the refresh", async () => {
    index.hanging = true;
    const started = await engine.for(waiting).start("i4", {});
    await started.resume("no");
    await vi.waitUntil(() => index.calls > 0);
    await crash(started.id);
    index.hanging = false;
    await runDurableObjectAlarm(stubOf(started.id));
    await isIn(started.id, "completed");
  });

  it("that does not answer at all holds up the alarm for a while only", async () => {
    timing.watchdogMs = 50;
    index.hanging = true;
    timing.refreshMs = 60_000;
    const started = await engine.for(waiting).start("i7", {});
    // It has rung by itself, or does so here.
    await runDurableObjectAlarm(stubOf(started.id));
    await vi.waitUntil(async () => ((await alarmOf(started.id)) ?? 0) > Date.now() + timing.refreshMs / 2);
    await crash(started.id);
    index.hanging = false;
    await runDurableObjectAlarm(stubOf(started.id));
    await isIn(started.id, "waiting");
  });

  it("learns of a wait that it was never told of, with the alarm lost as well, at the next call", async () => {
    index.hanging = true;
    const started = await engine.for(waiting).start("i8", {});
    await runInDurableObject(stubOf(started.id), (_, { storage }) => storage.deleteAlarm());
    await crash(started.id);
    index.hanging = false;
    await started.get();
    await isIn(started.id, "waiting");
  });

  it("learns of the end of a run also when the next one has begun", async () => {
    timing.refreshMs = 60_000;
    const started = await engine.for(waiting).start("i5", {});
    await isIn(started.id, "waiting");
    index.failing = true;
    await started.resume("no");
    await started.result();
    await engine.for(waiting).restart("i5");
    index.failing = false;
    await ringAnew(started.id);
    await isIn(started.id, "completed", "waiting");
  });
});

describe("an instance without its code", () => {
  it("is shown as it stands, is told to telemetry, looked at rarely, and goes on when the code is back", async () => {
    const parked: unknown[] = [];
    const stop = telemetry.attach("parked", "workflow:park", ({ metadata }) => parked.push(metadata.reason));
    index.failing = true;
    const started = await engine.for(waiting).start("parked", {});
    const withFingerprint = (change: (fingerprint: string) => string) => (record: StoredRecord) => {
      const { run } = record.changes;
      if (run === undefined) return record;
      return { ...record, changes: { ...record.changes, run: { ...run, fingerprint: change(run.fingerprint) } } };
    };
    await rewrite(
      started.id,
      withFingerprint((fingerprint) => `not ${fingerprint}`),
    );
    index.failing = false;
    await ringAnew(started.id);
    await isIn(started.id, "waiting");
    expect((await started.get()).parked).toBe(true);
    expect(new Set(parked)).toEqual(new Set(["changed"]));
    await vi.waitUntil(async () => ((await alarmOf(started.id)) ?? 0) > Date.now() + timing.parkedMs / 2);
    await rewrite(
      started.id,
      withFingerprint((fingerprint) => fingerprint.slice("not ".length)),
    );
    await started.resume("no");
    await started.result();
    stop();
  });
});

describe("a sweep", () => {
  const sweep = () => edge.scheduled({}, env);

  it("wakes what should have been woken, and nothing else", async () => {
    timing.overdueMs = 0;
    const started = await engine.for(waiting).start("swept", {});
    const other = await engine.for(waiting).start("not-swept", {});
    await started.scheduleResume("answer", { hours: 1 }, { event: "no" });
    await Promise.all([isIn(started.id, "waiting"), isIn(other.id, "waiting")]);
    await vi.waitUntil(() => index.puts.some((row) => row.id === started.id && row.wakeAt !== undefined));
    await Promise.all([loseAlarm(started.id), loseAlarm(other.id)]);
    const before = writesOf(other.id).alarms;
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 3_600_001);
    await sweep();
    await started.result();
    vi.useRealTimers();
    expect((await started.get()).steps.answer).toMatchObject({ status: "completed", event: "no" });
    expect(writesOf(other.id).alarms).toBe(before);
  });

  it("finds a run that was lost in the middle of a step, with its alarm", async () => {
    timing.overdueMs = 0;
    timing.watchdogMs = 20;
    const started = await engine.for(slow).start("swept-run", {});
    await isIn(started.id, "running");
    timing.watchdogMs = 60_000;
    await loseAlarm(started.id);
    expect(witnessed.filter((one) => one.key.includes("swept-run")).length).toBe(1);
    await vi.waitUntil(() => (index.puts.filter((row) => row.id === started.id).at(-1)?.wakeAt ?? 0) < Date.now());
    await sweep();
    await vi.waitUntil(() => witnessed.filter((one) => one.key.includes("swept-run")).length === 2);
    await runInDurableObject(stubOf(started.id), () => gateOf("gated@2").resolve());
    await started.result();
  });

  it("removes the row of an instance that is not there any more", async () => {
    timing.overdueMs = 0;
    await index.put([headerOf("waiting/n::ghost", { status: "waiting", wakeAt: 1 })]);
    await sweep();
    expect(await rowsOf("waiting/n::ghost")).toEqual([]);
  });

  it("goes on when one of the objects fails", async () => {
    timing.overdueMs = 0;
    const [corrupt, ghost] = ["waiting/n::corrupt", "waiting/n::ghost2"];
    await runInDurableObject(stubOf(corrupt), (_, { storage }) => storage.kv.put("journal:000000000001", { run: 1 }));
    await index.put([corrupt, ghost].map((id) => headerOf(id, { status: "waiting", wakeAt: 1 })));
    await sweep();
    expect(await rowsOf(ghost)).toEqual([]);
    expect(await statusesOf(corrupt)).toEqual(["waiting"]);
  });
});

describe("retention", () => {
  const storedIn = (id: string) =>
    runInDurableObject(stubOf(id), async (_, { storage }) => ({
      keys: [...storage.kv.list()].length,
      alarm: await storage.getAlarm(),
    }));
  /** A day goes by. */
  const later = ({ changes, ...record }: StoredRecord) => ({
    ...record,
    changes: { ...changes, at: changes.at - COMMAND_RETENTION_MS - 1 },
  });

  it("removes an ended instance from the index, then from the object, all of it", async () => {
    const started = await engine.for(fleeting).start("f1", {});
    await started.result();
    await isIn(started.id, "completed");
    await vi.waitFor(async () => expect(await rowsOf(started.id)).toEqual([]), { timeout: 20_000 });
    await expect(started.get()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    // What is left is the tombstone, for as long as the start may be delivered again.
    await vi.waitUntil(async () => ((await storedIn(started.id)).alarm ?? 0) > Date.now() + COMMAND_RETENTION_MS / 2);
    await rewrite(started.id, later);
    await ringAnew(started.id);
    await vi.waitFor(async () => expect(await storedIn(started.id)).toEqual({ keys: 0, alarm: null }));
  });

  it("waits for the index: what it still has can be removed later", async () => {
    timing.refreshMs = 60_000;
    const started = await engine.for(fleeting).start("f2", {});
    await isIn(started.id, "completed");
    index.failing = true;
    await vi.waitUntil(async () => (await started.get().catch(() => undefined)) === undefined, { timeout: 20_000 });
    await rewrite(started.id, later);
    await ringAnew(started.id);
    expect((await storedIn(started.id)).keys).toBeGreaterThan(0);
    expect(await statusesOf(started.id)).toEqual(["completed"]);
    index.failing = false;
    await ringAnew(started.id);
    await vi.waitFor(async () => expect(await storedIn(started.id)).toEqual({ keys: 0, alarm: null }));
    expect(await rowsOf(started.id)).toEqual([]);
  });

  it("goes on after a lost alarm: a sweep finds it", async () => {
    timing.overdueMs = 0;
    const started = await engine.for(fleeting).start("f3", {});
    await isIn(started.id, "completed");
    await loseAlarm(started.id);
    await vi.waitUntil(() => (index.puts.filter((row) => row.id === started.id).at(-1)?.wakeAt ?? 0) < Date.now());
    await edge.scheduled({}, env);
    await vi.waitFor(async () => expect(await rowsOf(started.id)).toEqual([]), { timeout: 20_000 });
  });

  it("delete removes it at once", async () => {
    const started = await engine.for(chain).start("f4", {});
    await started.result();
    await isIn(started.id, "completed");
    await started.delete();
    await vi.waitFor(async () => expect(await rowsOf(started.id)).toEqual([]));
    await vi.waitUntil(async () => (await storedIn(started.id)).keys === 1);
  });
});
