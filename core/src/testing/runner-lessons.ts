import { expect, it } from "vitest";
import type { Hephaestus } from "../runtime/hephaestus.ts";
import * as flows from "./lesson-workflows.ts";
import { type SetUp, untilSeen } from "./runner-lane.ts";
import { sequence } from "./runner-workflows.ts";

/**
 * What goes wrong in workflow engines and a runner could get wrong, by the numbers of docs/lessons.md: the second half
 * of `runnerConformance`.
 */
export function runnerLessons(setUp: SetUp): void {
  const hangs = (engine: Hephaestus, id: string) =>
    untilSeen(engine, id, async () => flows.timesBegun(id, "hang") === 1);

  it("LESSONS 5, 15, 16: after a crash all goes on: steps, waits, timers, back-offs, early events", async () => {
    const { lane, engine, key } = await setUp();
    const started = await engine.for(flows.inFlight).start(key, {});
    await hangs(engine, started.id);
    expect(await started.resume("early", "kept")).toBe("queued");
    const next = await lane.crash();
    expect(await next.resume(started.id, "go", "now")).toBe("delivered");
    await next.result(started.id);
    const { steps } = await next.get(started.id);
    expect(steps).toMatchObject({
      // The effect of the first attempt stands: its checkpoint is not run again.
      hang: { result: 1, attempt: 2, interruptions: 1, failures: 0 },
      hold: { result: "now" },
      later: { result: "kept" },
      nap: { status: "completed" },
      again: { result: "again", failures: 1 },
      last: { status: "completed" },
    });
    expect(flows.timesBegun(started.id, "last")).toBe(1);
  });

  it("LESSONS 7: a step that throws is tried again after its back-off, and harms nothing beside it", async () => {
    const { engine, key } = await setUp();
    const bad = await engine.for(flows.throwing).start(key, {});
    const beside = await Promise.all([1, 2, 3].map((n) => engine.for(sequence).start(`${key}-${n}`, {})));
    await expect(bad.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "shaky" } });
    expect(flows.timesBegun(bad.id, "shaky")).toBe(3);
    const entries = (await bad.history()).filter((entry) => entry.type === "step");
    const waits = entries.flatMap(({ at, wakeAt }, n) => (wakeAt === undefined ? [] : [{ at, wakeAt, n }]));
    expect(waits.length).toBe(2);
    for (const { at, wakeAt, n } of waits) {
      expect(wakeAt - at).toBe(60);
      expect(entries[n + 1]?.at).toBeGreaterThanOrEqual(wakeAt);
    }
    await Promise.all(beside.map((one) => one.result()));
    await (await engine.for(sequence).start(`${key}-after`, {})).result();
  });

  it("LESSONS 8: a step that takes longer than every interval of the runner is run once", async () => {
    const { engine, key } = await setUp();
    const started = await engine.for(flows.longSteps).start(key, {});
    await started.result();
    const { steps } = await started.get();
    for (const step of ["long_inline", "long_queue"]) {
      expect([step, flows.timesBegun(started.id, step)]).toEqual([step, 1]);
      expect(steps[step]).toMatchObject({ attempt: 1, interruptions: 0 });
    }
  });

  it("LESSONS 10: in a fan-out one failure discards no result of its siblings", async () => {
    const { engine, key } = await setUp();
    const started = await engine.for(flows.fanOutOfTen).start(key, { fails: "part_3" });
    await expect(started.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "part_3" } });
    const results = async () => {
      const { steps } = await started.get();
      return Array.from({ length: 10 }, (_, n) => steps[`part_${n}`]?.result);
    };
    expect(await results()).toEqual([0, 1, 2, undefined, 4, 5, 6, 7, 8, 9]);
    await started.retry();
    await started.result();
    expect(await results()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const times = Array.from({ length: 10 }, (_, n) => flows.timesBegun(started.id, `part_${n}`));
    expect(times).toEqual([1, 1, 1, 2, 1, 1, 1, 1, 1, 1]);
  });

  it("LESSONS 11: what is cancelled stays cancelled, also when a step that ran on answers afterwards", async () => {
    const { engine, key } = await setUp();
    const started = await engine.for(flows.heedless).start(key, {});
    await untilSeen(engine, started.id, async () => flows.timesBegun(started.id, "stubborn") === 1);
    await started.cancel();
    await expect(started.result()).rejects.toMatchObject({ code: "CANCELLED" });
    const view = await started.get();
    expect([view.status, view.steps.last, flows.timesBegun(started.id, "last")]).toEqual(["cancelled", undefined, 0]);
  });

  it("LESSONS 13: two versions of one key stand side by side where the scope says so", async () => {
    const { engine, key } = await setUp();
    const [one, two] = await Promise.all(
      [1, 2].map((version) => engine.for(flows.apart).start(key, {}, { version, tags: [`v${version}`] })),
    );
    await one?.resume("go", "first");
    await one?.result();
    expect(await one?.get()).toMatchObject({ version: 1, tags: ["v1"], status: "completed" });
    expect(await two?.get()).toMatchObject({ version: 2, tags: ["v2"], status: "waiting" });
    await two?.resume("go", "second");
    await two?.result();
    expect((await one?.get())?.steps.hold?.result).toBe("first");
  });

  it("LESSONS 17: forty fan-outs of ten at once all come to their end, each join once", async () => {
    const { engine, key } = await setUp();
    const started = await Promise.all(
      Array.from({ length: 40 }, (_, n) => engine.for(flows.fanOutOfTen).start(`${key}-${n}`, {})),
    );
    await Promise.all(started.map((one) => one.result()));
    for (const { id } of started) expect([id, flows.timesBegun(id, "last")]).toEqual([id, 1]);
  });

  it("LESSONS 18: a start is all or nothing: what was answered runs though the runner dies at once", async () => {
    const { lane, engine, key } = await setUp();
    const answered: string[] = [];
    const keys = Array.from({ length: 20 }, (_, n) => `${key}-${n}`);
    const starts = keys.map((one) =>
      engine
        .for(sequence)
        .start(one, {}, { id: "only" })
        .then(({ id }) => answered.push(id)),
    );
    await Promise.any(starts);
    const heard = [...answered];
    const next = await lane.crash();
    await Promise.all(heard.map((id) => next.result(id)));
    // Of the others nobody knows whether they were made: asked again, each is there or is made, and runs.
    const all = await Promise.all(keys.map((one) => next.for(sequence).start(one, {}, { id: "only" })));
    expect(await Promise.all(all.map(({ run, id }) => next.result(id).then((result) => [run, result])))).toEqual(
      keys.map(() => [1, { c: "c" }]),
    );
  });

  const metadata = { 1: "one", "01": "other", nested: { "2": [1, { "": null }], a: true } };

  it("LESSONS 19: metadata comes back after a crash as it went in", async () => {
    const { lane, engine, key } = await setUp();
    const started = await engine.for(flows.apart).start(key, {}, { metadata, tags: ["1", "x"] });
    const next = await lane.crash();
    const view = await next.get(started.id);
    expect([JSON.stringify(view.metadata), view.tags]).toEqual([JSON.stringify(metadata), ["1", "x"]]);
    await next.resume(started.id, "go", metadata);
    await next.result(started.id);
    expect((await next.get(started.id)).steps.hold?.result).toEqual(metadata);
  });

  it("LESSONS 19: telemetry's own metadata outlives the runner that was given it", async ({ skip }) => {
    const { lane, engine, key } = await setUp();
    const { telemetry } = lane;
    if (telemetry === undefined) return skip("this runner tells no telemetry");
    const started = await engine.for(flows.apart).start(key, {}, { telemetry: metadata });
    const next = await lane.crash();
    const told: { readonly metadata: object }[] = [];
    telemetry.attach("test", "step:*", (event) => told.push(event), {
      filter: (event) => event.metadata.id === started.id,
    });
    await next.resume(started.id, "go");
    await next.result(started.id);
    expect(told.length).toBeGreaterThan(0);
    for (const event of told) expect(event.metadata).toMatchObject({ telemetry: metadata });
  });
}
