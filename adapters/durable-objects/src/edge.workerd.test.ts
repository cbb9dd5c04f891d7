import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { beWholeBeforeEach, codeOf, engine, runs, stubOf } from "../test/helpers.ts";
import { edge, loadsOf, telemetry, witnessed } from "../test/worker.ts";
import { badResult, chain, failing, gathering, pair, waiting } from "../test/workflows.ts";

beWholeBeforeEach();

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
    // @ts-expect-error the types know it too
    await expect(started.resume("nope")).rejects.toMatchObject({ code: "EVENT_UNDECLARED" });
    await expect(engine.get("waiting/n::nobody")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await expect(engine.resume("waiting/n::nobody", "yes")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await started.resume("no");
    await started.result();
    await expect(started.resume("yes", { by: "Ann" })).rejects.toMatchObject({ code: "STATUS_REFUSES" });
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

  it("of hundreds of starts and events of one key at once there is one instance, and each event counts once", async () => {
    const starts = Promise.allSettled(Array.from({ length: 150 }, () => engine.for(gathering).start("crowd", {})));
    const send = (n: number) => engine.for(gathering).resume("crowd", "more", n, { id: `event-${n}` });
    const started = (await starts).filter((one) => one.status === "fulfilled");
    expect(started.length).toBe(1);
    // Each is sent three times, all of them at once.
    const answers = await Promise.all(Array.from({ length: 600 }, (_, n) => send(n % 200)));
    expect(new Set(answers)).toEqual(new Set(["queued"]));
    const history = await engine.history(engine.for(gathering).idOf("crowd"));
    const events = history.flatMap((entry) => (entry.type === "event" ? [entry.id] : []));
    expect([events.length, new Set(events).size]).toEqual([200, 200]);
    expect(history.filter((entry) => entry.type === "started").length).toBe(1);
    await engine.for(gathering).resume("crowd", "yes", { by: "x" });
    await engine.for(gathering).result("crowd");
    const { steps } = await engine.for(gathering).get("crowd");
    const taken = [steps.take0?.result, steps.take1?.result, steps.take2?.result];
    expect(new Set(taken).size).toBe(3);
  });
});

describe("subscribers", () => {
  it("tells subscribers of every change through a WebSocket", async () => {
    const started = await engine.for(waiting).start("sub", {});
    const seen: string[] = [];
    const stop = started.subscribe((change) => seen.push(change.status));
    const result = started.result();
    await vi.waitUntil(async () => {
      const sockets = await runInDurableObject(stubOf(started.id), (_, state) => state.getWebSockets());
      return sockets.length === 2;
    });
    await started.resume("yes", { by: "x" });
    await result;
    await vi.waitFor(() => expect(seen.at(-1)).toBe("completed"));
    stop();
  });

  it("do not keep the object in memory, and hear the next change all the same", async () => {
    const started = await engine.for(waiting).start("hibernates", {});
    const seen: string[] = [];
    const stop = started.subscribe((change) => seen.push(change.status));
    await vi.waitUntil(() => seen.length > 0);
    const loads = loadsOf(started.id);
    await evictDurableObject(stubOf(started.id));
    // Nothing has loaded it again, and its socket is still there: the next call finds both.
    await started.resume("no");
    await vi.waitFor(() => expect(seen.at(-1)).toBe("completed"));
    expect(loadsOf(started.id)).toBe(loads + 1);
    expect(await runInDurableObject(stubOf(started.id), (_, state) => state.getWebSockets().length)).toBe(1);
    stop();
  });

  it("connect again when the object is gone with its sockets, and learn how it stands", async () => {
    const started = await engine.for(waiting).start("reconnects", {});
    const seen: string[] = [];
    const stop = started.subscribe((change) => seen.push(change.status));
    await vi.waitUntil(() => seen.length > 0);
    await evictDurableObject(stubOf(started.id), { webSockets: "close" });
    await started.resume("no");
    await vi.waitUntil(() => seen.at(-1) === "completed", { timeout: 20_000 });
    stop();
  }, 30_000);

  it("one that is closing harms nobody", async () => {
    const started = await engine.for(waiting).start("closing", {});
    const stop = started.subscribe(() => {});
    await vi.waitUntil(() => runInDurableObject(stubOf(started.id), (_, state) => state.getWebSockets().length === 1));
    await runInDurableObject(stubOf(started.id), (_, state) => {
      for (const socket of state.getWebSockets()) socket.close(1000);
    });
    await started.resume("no");
    expect((await started.get()).status).toBe("completed");
    stop();
  });
});

describe("telemetry", () => {
  it("tells what an instance does, inline and on the queue, once each", async () => {
    const told: { name: string; step: string | undefined }[] = [];
    const stop = telemetry.attach("test", "*", ({ name, metadata }) => {
      const { id, step } = metadata as { id?: string; step?: string };
      if (id === "pair/n::told") told.push({ name, step });
    });
    const started = await engine.for(pair).start("told", {});
    await started.result();
    stop();
    const stepsOf = (wanted: string) => told.flatMap(({ name, step }) => (name === wanted ? [step] : [])).sort();
    expect(told.filter(({ name }) => name.startsWith("workflow:st")).map(({ name }) => name)).toEqual([
      "workflow:start",
      "workflow:stop",
    ]);
    expect(stepsOf("step:start")).toEqual(["join", "part0", "part1", "split"]);
    expect(stepsOf("step:stop")).toEqual(["join", "part0", "part1", "split"]);
  });
});

describe("engines with names", () => {
  it("share the class and never see each other's instances", async () => {
    const other = edge.engine(env, "other");
    const [one, two] = await Promise.all([
      engine.for(waiting).start("apart", {}),
      other.for(waiting).start("apart", {}),
    ]);
    expect(one.id).toBe(two.id);
    await two.resume("no");
    await two.result();
    expect((await one.get()).status).toBe("waiting");
    // Not even by an id that is made up.
    await expect(engine.get(`:other:${two.id}`)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await expect(other.get(":other:x")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await vi.waitFor(async () => {
      expect((await other.list()).items.map((item) => item.status)).toEqual(["completed"]);
      expect((await engine.list({ id: one.id })).items.map((item) => item.status)).toEqual(["waiting"]);
    });
    expect(() => edge.engine(env, "a:b")).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });

  it("run their steps on the same queue", async () => {
    const started = await edge.engine(env, "other").for(pair).start("named", {});
    await started.result();
    expect(runs("named").sort()).toEqual(["join", "part0", "part1", "split"]);
  });
});
