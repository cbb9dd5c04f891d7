import { createExecutionContext, createMessageBatch, evictDurableObject, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import {
  beWholeBeforeEach,
  consumerOf,
  engine,
  isClaimed,
  ringAnew,
  runs,
  sentOf,
  stubOf,
  untilSent,
} from "../test/helpers.ts";
import { consumed, deployment, edge, lossy, timing } from "../test/worker.ts";
import { fanOut, pair, wide } from "../test/workflows.ts";
import type { StepMessage } from "./options.ts";

beWholeBeforeEach();

const parts = Array.from({ length: 20 }, (_, n) => `part${n}`);
const latest = (step: string) => sentOf(step).at(-1) as StepMessage;

/** Starts the workflow of two steps on a queue that loses them: the test is the consumer. */
async function startPair(key: string) {
  lossy.mode = "lose";
  const started = await engine.for(pair).start(key, {});
  await untilSent("part1");
  return { started, consumer: consumerOf(started.id), one: latest("part0"), other: latest("part1") };
}

function batchOf(queue: string, bodies: readonly unknown[]) {
  const messages = bodies.map((body, n) => ({ id: `m${n}`, timestamp: new Date(), attempts: 1, body }));
  return createMessageBatch<StepMessage>(queue, messages as never);
}

describe("a fan-out on the queue", () => {
  it("of twenty: one message and one run each, one claim and one commit a batch", async () => {
    const started = await engine.for(fanOut).start("q1", {});
    expect(await started.result()).toEqual({ join: { from: "join" } });
    expect(runs("q1").sort()).toEqual(["join", ...parts, "split"].sort());
    const batches = consumed.filter(({ bodies }) => bodies.some((body) => body.object === started.id));
    const history = await started.history();
    const completed = history.filter((entry) => entry.type === "step" && parts.includes(entry.step));
    const revisions = new Set(
      completed.flatMap((one) => ("status" in one && one.status === "completed" ? [one.revision] : [])),
    );
    expect(revisions.size).toBeLessThanOrEqual(batches.length);
    expect(sentOf("part0")).toEqual([{ object: started.id, run: 1, step: "part0", attempt: 1 }]);
  });

  it("of a thousand: each once, in ten sends", async () => {
    const started = await engine.for(wide).start("wide", {});
    await started.result();
    expect(new Set(runs("wide")).size).toBe(1_002);
    expect(runs("wide").length).toBe(1_002);
    expect([lossy.sent.length, lossy.batches]).toEqual([1_000, 10]);
  });

  it("whose inputs are too large for one call is claimed bit by bit", async () => {
    lossy.mode = "lose";
    const input = "x".repeat(850_000);
    const started = await engine.for(fanOut).start("large", input);
    await untilSent("part19");
    const answers = await consumerOf(started.id).claim(...parts.map(latest));
    expect(answers.filter(isClaimed).length).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer === "later").length).toBeGreaterThan(0);
    const again = await engine.for(fanOut).start("large2", input);
    lossy.mode = "deliver";
    await env.STEPS.sendBatch(
      sentOf("part0").length > 0 ? parts.map((step) => ({ body: { ...latest(step), object: again.id } })) : [],
    );
    await again.result();
    expect(runs("large2").length).toBe(22);
  });
});

describe("messages", () => {
  it("that are all lost are sent again, the same attempt", async () => {
    timing.claimMs = 20;
    lossy.mode = "lose";
    const started = await engine.for(fanOut).start("lost", {});
    await untilSent("part7", 3);
    lossy.mode = "deliver";
    await started.result();
    expect(new Set(sentOf("part7").map((message) => message.attempt))).toEqual(new Set([1]));
    expect(runs("lost").length).toBe(22);
  });

  it("that the queue refuses are sent again", async () => {
    timing.claimMs = 20;
    lossy.mode = "refuse";
    const started = await engine.for(pair).start("refused", {});
    await untilSent("part1", 2);
    lossy.mode = "deliver";
    await started.result();
    expect(runs("refused").sort()).toEqual(["join", "part0", "part1", "split"]);
  });

  it("that are lost with their object are sent again, however often the object is loaded anew meanwhile", async () => {
    timing.leaseMs = 60;
    const { started } = await startPair("evicted");
    for (let n = 0; n < 200 && sentOf("part0").length < 2; n++) await ringAnew(started.id);
    expect(sentOf("part0").map((message) => message.attempt)).toEqual([1, 1]);
    await consumerOf(started.id).claim(latest("part0"), latest("part1"));
    await consumerOf(started.id).report(latest("part0"), latest("part1"));
    await started.result();
  });

  it("that come twice, late and in another order do nothing more", async () => {
    const { started, consumer, one, other } = await startPair("reordered");
    const deliver = (...bodies: StepMessage[]) => edge.queue(batchOf("steps", bodies), env);
    await Promise.all([deliver(other, one, other, one), deliver(one, other)]);
    await deliver(other, one);
    await started.result();
    expect(runs("reordered").sort()).toEqual(["join", "part0", "part1", "split"]);
    expect(await consumer.claim(one, other)).toEqual([undefined, undefined]);
    expect(await consumer.report(one, other)).toEqual(["ignored", "ignored"]);
    const { revision } = (await started.history()).at(-1) ?? {};
    expect((await started.get()).steps.part0?.attempt).toBe(1);
    expect((await started.history()).at(-1)?.revision).toBe(revision);
  });
});

describe("a consumer", () => {
  it("that dies between claim and report is an interruption: a new token, and the old one counts for nothing", async () => {
    timing.leaseMs = 30;
    const { started, consumer, one, other } = await startPair("dies");
    expect((await consumer.claim(one, other)).every(isClaimed)).toBe(true);
    await untilSent("part0", 2);
    expect(latest("part0").attempt).toBe(2);
    expect(await consumer.report(one, other)).toEqual(["ignored", "ignored"]);
    expect(await consumer.checkpoint(one)).toBe("ignored");
    expect(await consumer.heartbeat(one)).toEqual([false]);
    timing.leaseMs = 60_000;
    await ringAnew(started.id);
    await consumer.claim(latest("part0"), latest("part1"));
    await consumer.report(latest("part0"), latest("part1"));
    await started.result();
    expect((await started.get()).steps.part0).toMatchObject({ attempt: 2, interruptions: 1, status: "completed" });
  });

  it("has what it claimed for itself: nobody else gets it, also after the object was loaded anew and heard of it", async () => {
    const { started, consumer, one, other } = await startPair("mine");
    expect((await consumer.claim(one)).map(isClaimed)).toEqual([true]);
    expect(await consumer.claim(one)).toEqual([undefined]);
    await evictDurableObject(stubOf(started.id));
    expect(await consumer.heartbeat(one)).toEqual([true]);
    expect(await consumer.claim(one)).toEqual([undefined]);
    await consumer.claim(other);
    expect(await consumer.report(one, other)).toEqual(["recorded", "recorded"]);
    await started.result();
  });

  it("that kills its object with it each time is counted, until the step fails", async () => {
    timing.leaseMs = 20;
    timing.claimMs = 20;
    const { started } = await startPair("poison");
    const ended = async () => (await started.get()).status === "failed";
    for (let n = 0; n < 400 && !(await ended()); n++) {
      // It takes what is there and is gone, and so is the object.
      await consumerOf(started.id).claim(latest("part0"), latest("part1"));
      await ringAnew(started.id);
    }
    const view = await started.get();
    expect(view).toMatchObject({ status: "failed", error: { code: "MAX_INTERRUPTIONS" } });
  });

  it("of other code gets nothing, and the step is sent again for one that has it", async () => {
    timing.claimMs = 20;
    const { started, one, other } = await startPair("other-code");
    const foreign = engine.registry.definitions.map((definition) => ({ ...definition, fingerprint: "another" }));
    expect(await consumerOf(started.id, foreign).claim(one, other)).toEqual([undefined, undefined]);
    await untilSent("part0", 2);
    lossy.mode = "deliver";
    await started.result();
    expect((await started.get()).steps.part0?.interruptions).toBe(0);
  });

  it("that fails for one instance serves the others of its batch", async () => {
    const { started, one, other } = await startPair("served");
    const nowhere = { ...one, object: ":broken:x" };
    const batch = batchOf("steps", [one, { what: "is this" }, nowhere, other, null]);
    await edge.queue(batch, env);
    await started.result();
    const result = await getQueueResult(batch, createExecutionContext());
    expect(result.explicitAcks.sort()).toEqual(["m0", "m3"]);
    expect(result.retryMessages.map((message) => message.msgId).sort()).toEqual(["m1", "m2", "m4"]);
  });
});

describe("after two interruptions", () => {
  it("steps are sent one at a time, so that only the guilty one is counted", async () => {
    timing.leaseMs = 300;
    const { started, consumer } = await startPair("series");
    for (const attempt of [1, 2]) {
      await untilSent("part1", attempt);
      await consumer.claim(latest("part0"), latest("part1"));
      await untilSent("part0", attempt + 1);
    }
    expect([latest("part0").attempt, latest("part1").attempt]).toEqual([3, 2]);
    const finish = async (step: string) => {
      await consumer.claim(latest(step));
      // A slow machine may be taken for a silent one.
      if ((await consumer.report(latest(step)))[0] === "ignored") await finish(step);
    };
    await finish("part0");
    await untilSent("part1", 3);
    await finish("part1");
    await started.result();
  });
});

describe("what has not begun", () => {
  it("is held back in a pause, and sent again as the same attempt", async () => {
    const { started, consumer, one, other } = await startPair("paused");
    await started.pause();
    expect(await consumer.claim(one, other)).toEqual([undefined, undefined]);
    lossy.mode = "deliver";
    await started.unpause();
    await started.result();
    expect(latest("part0").attempt).toBe(1);
  });

  it("is held back also by an object that was loaded anew, and does not know whether it has", async () => {
    const { started, consumer, one, other } = await startPair("paused-anew");
    await evictDurableObject(stubOf(started.id));
    await started.pause();
    expect(await consumer.claim(one, other)).toEqual([undefined, undefined]);
    lossy.mode = "deliver";
    await started.unpause();
    await started.result();
    expect(runs("paused-anew").sort()).toEqual(["join", "part0", "part1", "split"]);
  });

  it("is over at once when the run is cancelled; what was claimed may report", async () => {
    const { started, consumer, one, other } = await startPair("cancelled");
    await consumer.claim(one);
    await started.cancel();
    expect((await started.get()).steps.part1?.status).toBe("cancelled");
    expect((await started.get()).status).not.toBe("cancelled");
    expect(await consumer.heartbeat(one)).toEqual([false]);
    expect(await consumer.claim(other)).toEqual([undefined]);
    expect(await consumer.report(one)).toEqual(["recorded"]);
    await vi.waitUntil(async () => (await started.get()).status === "cancelled");
  });
});

describe("the dead letter queue", () => {
  it("gets what is no message of ours, and lets it go", async () => {
    await env.STEPS.send({ what: "is this" } as never);
    await vi.waitUntil(() => consumed.some(({ queue }) => queue === "dead"), { timeout: 20_000 });
    expect(consumed.filter(({ queue }) => queue === "steps").length).toBe(2);
  });

  it("has the instance look after itself, which sends anew what nobody came for", async () => {
    timing.claimMs = 1;
    timing.watchdogMs = 60_000;
    const { started, one } = await startPair("letter");
    await untilSent("part0", 2);
    const before = sentOf("part0").length;
    await edge.queue(batchOf("dead", [one]), env);
    await untilSent("part0", before + 1);
    lossy.mode = "deliver";
    await started.result();
  });

  it("keeps what cannot be looked after for another time", async () => {
    const { one } = await startPair("later");
    deployment.broken = true;
    const batch = batchOf("dead", [one]);
    await edge.queue(batch, env);
    expect((await getQueueResult(batch, createExecutionContext())).retryMessages.length).toBe(1);
  });
});
