import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { HephaestusError } from "@hephaestus/core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { closeGates, consumed, edge, gateOf, index, witnessed } from "../test/worker.ts";
import { badResult, chain, failing, fanOut, slow, timed, waiting } from "../test/workflows.ts";
import { writesOf } from "../test/write-counter.ts";

const engine = edge.engine(env);
const codeOf = (error: unknown) => (error as HephaestusError).code;
const runs = (key: string) => witnessed.filter((one) => one.key.includes(key)).map((one) => one.step);

/** Lets the step go on, from inside its object: a promise is settled where it is awaited. */
const openGate = (id: string, attempt: number) =>
  runInDurableObject(env.INSTANCES.getByName(id), () => gateOf(`gated@${attempt}`).resolve());

beforeEach(() => {
  witnessed.length = 0;
  index.failing = false;
  closeGates();
});

describe("an instance in its object", () => {
  it("runs to its end, and its history says how", async () => {
    const started = await engine.for(chain).start("c1", {});
    expect(await started.result()).toEqual({ three: { from: "three" } });
    expect(runs("c1")).toEqual(["one", "two", "three"]);
    const history = await started.history();
    expect(history.filter((entry) => entry.type === "step" && entry.status === "completed").length).toBe(3);
    expect((await started.get()).status).toBe("completed");
  });

  it("of a hundred starts of one key at once, one runs and the others are told of it", async () => {
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => engine.for(waiting).start("many", {})));
    const refused = answers.filter((answer) => answer.status === "rejected").map((answer) => codeOf(answer.reason));
    expect(answers.length - refused.length).toBe(1);
    expect(new Set(refused)).toEqual(new Set(["ALREADY_RUNNING"]));
  });

  it("the same start again finds its run", async () => {
    const one = await engine.for(chain).start("again", {}, { id: "start-1" });
    await one.result();
    const two = await engine.for(chain).start("again", {}, { id: "start-1" });
    expect([one.run, two.run]).toEqual([1, 1]);
    expect(runs("again")).toEqual(["one", "two", "three"]);
  });

  it("counts an event once, however often it comes", async () => {
    const started = await engine.for(waiting).start("w1", {});
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => started.resume("yes", { by: "Ann" }, { id: "delivery-1" })),
    );
    expect(new Set(answers)).toEqual(new Set(["delivered"]));
    expect(await started.result()).toEqual({ answer: { by: "Ann" }, after: { from: "after" } });
    expect(runs("w1")).toEqual(["after"]);
  });

  it("refuses what it cannot take, with a code", async () => {
    const started = await engine.for(waiting).start("w2", {});
    await expect(started.resume("nope")).rejects.toMatchObject({ code: "EVENT_UNDECLARED" });
    await expect(engine.get("waiting/n::nobody")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await expect(engine.resume("waiting/n::nobody", "yes")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await started.resume("no");
    await started.result();
    await expect(started.resume("yes")).rejects.toMatchObject({ code: "STATUS_REFUSES" });
  });

  it("a result that is not JSON fails the step with the path to it", async () => {
    const started = await engine.for(badResult).start("b1", {});
    await expect(started.result()).rejects.toMatchObject({ code: "RUN_FAILED" });
    const { steps } = await started.get();
    expect(steps.not_json?.error).toMatchObject({ code: "NOT_JSON", details: { path: "$.deep[0].when" } });
  });

  it("compensates what is done when a step fails for good", async () => {
    const started = await engine.for(failing).start("f1", {});
    await expect(started.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "refuse" } });
    expect(witnessed.map((one) => one.step)).toEqual(["book", "unbook"]);
  });

  it("tells subscribers of every change through a WebSocket", async () => {
    const started = await engine.for(waiting).start("sub", {});
    const seen: string[] = [];
    const stop = started.subscribe((change) => seen.push(change.status));
    const result = started.result();
    await vi.waitUntil(async () => {
      const sockets = await runInDurableObject(env.INSTANCES.getByName(started.id), (_, state) =>
        state.getWebSockets(),
      );
      return sockets.length === 2;
    });
    await started.resume("yes", { by: "x" });
    await result;
    await vi.waitFor(() => expect(seen.at(-1)).toBe("completed"));
    stop();
  });
});

describe("the queue", () => {
  it("runs a fan-out of twenty, each step once, and joins", async () => {
    const started = await engine.for(fanOut).start("q1", {});
    expect(await started.result()).toEqual({ join: { from: "join" } });
    expect(runs("q1").length).toBe(22);
    expect(new Set(runs("q1")).size).toBe(22);
    const messages = consumed.filter((message) => message.object === started.id);
    expect(messages.map((message) => message.step).sort()).toEqual(
      Array.from({ length: 20 }, (_, n) => `part${n}`).sort(),
    );
  });
});

describe("alarms", () => {
  it("wakes a timer with nobody calling", async () => {
    const started = await engine.for(timed).start("t1", {});
    await vi.waitFor(async () => expect((await started.get()).status).toBe("completed"), { timeout: 5_000 });
    expect(runs("t1")).toEqual(["after"]);
  });

  it("is armed before a step runs", async () => {
    const started = await engine.for(slow).start("armed", {});
    const stub = env.INSTANCES.getByName(started.id);
    await vi.waitUntil(() => witnessed.some((one) => one.step === "gated"));
    expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).not.toBeNull();
    await openGate(started.id, 1);
    await started.result();
  });

  it("an object that is lost in the middle of a step runs it again under a new token, with nobody calling", async () => {
    const started = await engine.for(slow).start("lost", {});
    await vi.waitUntil(() => witnessed.some((one) => one.step === "gated"));
    await evictDurableObject(env.INSTANCES.getByName(started.id));
    // The watchdog finds it.
    await vi.waitUntil(() => witnessed.filter((one) => one.step === "gated").length >= 2, { timeout: 5_000 });
    await openGate(started.id, 2);
    expect(await started.result()).toEqual({ gated: { attempt: 2 } });
    expect((await started.get()).steps.gated?.interruptions).toBe(1);
    expect(runs("lost").filter((step) => step === "after")).toEqual(["after"]);
  });

  it("an alarm that fires once more does no harm", async () => {
    const started = await engine.for(waiting).start("twice", {});
    const stub = env.INSTANCES.getByName(started.id);
    await runDurableObjectAlarm(stub);
    await runDurableObjectAlarm(stub);
    await started.resume("yes", { by: "x" });
    await started.result();
    await runDurableObjectAlarm(stub);
    expect(runs("twice")).toEqual(["after"]);
  });
});

describe("the index", () => {
  it("is told when an instance comes to rest and at its end", async () => {
    const started = await engine.for(waiting).start("i1", { order: 7 });
    await vi.waitFor(async () => {
      const { items } = await engine.list({ id: started.id, status: "waiting" });
      expect(items[0]).toMatchObject({ current: ["answer"], input: { order: 7 }, revision: 1 });
    });
    await started.resume("no");
    await vi.waitFor(async () => expect((await engine.list({ id: started.id })).items[0]?.status).toBe("completed"));
  });

  it("catches up by itself after it was down", async () => {
    index.failing = true;
    const started = await engine.for(chain).start("i2", {});
    await started.result();
    expect((await engine.list({ id: started.id })).items).toEqual([]);
    index.failing = false;
    await vi.waitFor(async () => expect((await engine.list({ id: started.id })).items[0]?.status).toBe("completed"), {
      timeout: 5_000,
    });
  });
});

describe("what it costs", () => {
  /** The writes that an instance has cost once it is at rest and the index knows. */
  async function costAtRest(id: string, revision: number) {
    await vi.waitFor(() => expect(index.puts.filter((row) => row.id === id).at(-1)?.revision).toBe(revision));
    await runInDurableObject(env.INSTANCES.getByName(id), (_, { storage }) => storage.sync());
    const { kv, alarms } = writesOf(id);
    return { kv, alarms };
  }

  it("three inline steps: four records and two writes of the alarm", async () => {
    const started = await engine.for(chain).start("rows", {});
    await started.result();
    expect(await costAtRest(started.id, 4)).toEqual({ kv: 4, alarms: 2 });
  });

  it("a wait: the record of the start and of the event, and nothing while it waits", async () => {
    const started = await engine.for(waiting).start("rows2", {});
    // The alarm stands for the refresh of the index until that has answered.
    expect(await costAtRest(started.id, 1)).toEqual({ kv: 1, alarms: 2 });
    await started.resume("no");
    expect(await costAtRest(started.id, 2)).toEqual({ kv: 2, alarms: 4 });
  });

  it("an early event: its own record", async () => {
    const started = await engine.for(waiting).start("rows3", {});
    await started.pause();
    await costAtRest(started.id, 2);
    const before = { ...writesOf(started.id) };
    expect(await started.resume("no")).toBe("queued");
    expect(writesOf(started.id)).toEqual({ kv: before.kv + 1, alarms: before.alarms });
  });
});
