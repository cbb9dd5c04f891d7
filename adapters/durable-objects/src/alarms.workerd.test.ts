import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { beWholeBeforeEach, engine, expectNothingDue, ringAnew, runs, stubOf } from "../test/helpers.ts";
import { deployment, gateOf, index, timing, witnessed } from "../test/worker.ts";
import { deadlyFlow, slow, timed, waiting } from "../test/workflows.ts";
import { writesOf } from "../test/write-counter.ts";

beWholeBeforeEach();

/** Lets the step go on, from inside its object: a promise is settled where it is awaited. */
const openGate = (id: string, attempt: number) =>
  runInDurableObject(stubOf(id), () => gateOf(`gated@${attempt}`).resolve());
const alarmOf = (id: string) => runInDurableObject(stubOf(id), (_, { storage }) => storage.getAlarm());
const attemptsAt = () => witnessed.filter((one) => one.step === "gated").length;

describe("the alarm", () => {
  it("wakes a timer with nobody calling", async () => {
    const started = await engine.for(timed).start("t1", {});
    await started.result();
    expect(runs("t1")).toEqual(["after"]);
  });

  it("is armed before a step runs", async () => {
    const started = await engine.for(slow).start("armed", {});
    await vi.waitUntil(() => attemptsAt() === 1);
    expect(await alarmOf(started.id)).not.toBeNull();
    await openGate(started.id, 1);
    await started.result();
    await vi.waitFor(async () => expect((await index.query({ id: started.id })).items[0]?.status).toBe("completed"));
    await expectNothingDue(started.id);
  });

  it("keeps an object with a step that runs, with nobody calling, and begins nothing twice", async () => {
    timing.watchdogMs = 20;
    const started = await engine.for(slow).start("kept", {});
    await vi.waitUntil(() => writesOf(started.id).alarms >= 6, { timeout: 20_000 });
    await openGate(started.id, 1);
    expect(await started.result()).toEqual({ gated: { attempt: 1 } });
    expect(attemptsAt()).toBe(1);
  });

  it("finds a step that was lost with its object: it runs again under a new token", async () => {
    timing.watchdogMs = 100;
    const started = await engine.for(slow).start("lost", {});
    await vi.waitUntil(() => attemptsAt() === 1);
    await evictDurableObject(stubOf(started.id));
    await vi.waitUntil(() => attemptsAt() === 2, { timeout: 20_000 });
    await openGate(started.id, 2);
    expect(await started.result()).toEqual({ gated: { attempt: 2 } });
    expect((await started.get()).steps.gated?.interruptions).toBe(1);
    expect(runs("lost").filter((step) => step === "after")).toEqual(["after"]);
  });

  it("brings back every instance when all objects are lost at once", async () => {
    timing.watchdogMs = 100;
    const started = await Promise.all(
      Array.from({ length: 20 }, (_, n) => engine.for(n % 2 ? timed : slow).start(`storm${n}`, {})),
    );
    await vi.waitUntil(() => attemptsAt() === 10);
    await abortAllDurableObjects();
    await vi.waitUntil(() => attemptsAt() === 20, { timeout: 20_000 });
    await Promise.all(started.filter((_, n) => n % 2 === 0).map(({ id }) => openGate(id, 2)));
    await Promise.all(started.map((one) => one.result()));
    expect(witnessed.filter((one) => one.step === "after" && one.key.includes("storm")).length).toBe(20);
  });

  it("that fires once more does no harm", async () => {
    const started = await engine.for(waiting).start("twice", {});
    await Promise.all([runDurableObjectAlarm(stubOf(started.id)), runDurableObjectAlarm(stubOf(started.id))]);
    await runDurableObjectAlarm(stubOf(started.id));
    await started.resume("yes", { by: "x" });
    await started.result();
    await runDurableObjectAlarm(stubOf(started.id));
    expect(runs("twice")).toEqual(["after"]);
  });

  it("that fires too early fires no timer, and is armed again", async () => {
    const started = await engine.for(waiting).start("early", {});
    await started.scheduleResume("answer", { hours: 1 }, { event: "no" });
    const { wakeAt } = (await started.get()).steps.answer ?? {};
    await ringAnew(started.id);
    expect((await started.get()).status).toBe("waiting");
    await vi.waitUntil(async () => (await alarmOf(started.id)) === wakeAt);
  });

  it("that is lost is armed again by the next call, and what is overdue then happens", async () => {
    timing.watchdogMs = 20;
    const started = await engine.for(timed).start("gone", {});
    // Once the index has answered, the alarm is set for the last time.
    await vi.waitUntil(() => index.puts.some((row) => row.id === started.id));
    await runInDurableObject(stubOf(started.id), (_, { storage }) => storage.deleteAlarm());
    await evictDurableObject(stubOf(started.id));
    expect(await alarmOf(started.id)).toBeNull();
    // Any call: here one that only reads.
    await started.get();
    await started.result();
    expect(runs("gone")).toEqual(["after"]);
  });

  it("whose handler fails, since the deployment is broken, is armed again and loses nothing", async () => {
    const started = await engine.for(waiting).start("broken", {});
    await started.scheduleResume("answer", { milliseconds: 1 }, { event: "no" });
    const other = await engine.for(waiting).start("broken2", {});
    await other.scheduleResume("answer", { hours: 1 }, { event: "no" });
    deployment.broken = true;
    for (let times = 0; times < 8; times++) {
      expect(await ringAnew(other.id)).toBe(true);
      expect(await alarmOf(other.id)).not.toBeNull();
    }
    deployment.broken = false;
    await ringAnew(other.id);
    expect((await other.get()).status).toBe("waiting");
    await ringAnew(started.id).catch(() => {});
    await started.result();
  });
});

describe("a step that kills its object each time", () => {
  it("is ended by MAX_INTERRUPTIONS, and its siblings go on", async () => {
    timing.watchdogMs = 20;
    const started = await engine.for(deadlyFlow).start("d1", {});
    await vi.waitUntil(async () => (await started.get().catch(() => undefined))?.status === "completed", {
      timeout: 20_000,
      interval: 50,
    });
    const { steps } = await started.get();
    expect(steps.deadly).toMatchObject({
      status: "failed",
      interruptions: 5,
      error: { code: "MAX_INTERRUPTIONS" },
    });
    expect([steps.left?.status, steps.right?.status, steps.join?.status]).toEqual([
      "completed",
      "completed",
      "completed",
    ]);
    expect(runs("d1").filter((step) => step === "deadly").length).toBe(5);
    expect(runs("d1").filter((step) => step === "join")).toEqual(["join"]);
  }, 30_000);
});
