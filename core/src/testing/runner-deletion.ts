import { expect, it } from "vitest";
import { reaches, type SetUp, stepReaches } from "./runner-lane.ts";
import * as flows from "./runner-workflows.ts";

/** What is left of a deleted instance: a part of `runnerConformance`. */
export function runnerDeletion(setUp: SetUp): void {
  it("delete removes an ended instance, and only that; its start may not be delivered again", async () => {
    const { engine, key } = await setUp();
    const sequence = engine.for(flows.sequence);
    const waiting = await engine.for(flows.waitsInSequence).start(key, {});
    await expect(waiting.delete()).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    const started = await sequence.start(key, {}, { id: "first" });
    await started.result();
    await started.delete();
    await expect(started.get()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    expect((await sequence.start(key, {}, { id: "first" })).run).toBe(1);
    await expect(started.get()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    expect((await sequence.start(key, {}, { id: "second" })).run).toBe(2);
  });

  it("a command that took effect is answered like the first time, also when its instance is deleted", async () => {
    const { engine, key } = await setUp();
    const flow = engine.for(flows.asynchronous);
    const started = await flow.start(key, {}, { id: "start" });
    const { id } = started;
    await stepReaches(engine, started, "ask", "waiting");
    const send = {
      schedule: () => engine.scheduleResume(id, "ask", { hours: 1 }, { id: "schedule" }),
      event: () => engine.resume(id, "yes", 1, { id: "event" }),
      restart: async () => (await flow.restart(key, { id: "restart" })).run,
      cancel: () => engine.cancel(id, { id: "cancel" }),
      delete: () => engine.delete(id, { id: "delete" }),
    };
    await send.schedule();
    await send.event();
    await reaches(engine, started, "completed");
    expect(await send.restart()).toBe(2);
    await send.cancel();
    await reaches(engine, started, "cancelled");
    await send.delete();
    const again = [send.schedule, send.event, send.restart, send.cancel, send.delete].map((one) => one());
    expect(await Promise.all(again)).toEqual([undefined, "delivered", 2, undefined, undefined]);
    expect((await engine.restart(id, { id: "restart" })).run).toBe(2);
    await expect(flow.restart(key, { id: "another" })).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await expect(flow.restart(key)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await expect(flow.restart(key, { id: "cancel" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("an ended instance is deleted when its workflow's retention is over, and not before", async () => {
    const { engine, key } = await setUp();
    const started = await engine.for(flows.forgotten).start(key, {});
    const { endedAt = 0, retained } = await new Promise<{ endedAt?: number; retained: number }>((resolve) => {
      let endedAt: number | undefined;
      const stop = started.subscribe(({ status, at }) => {
        if (status === "completed") endedAt = at;
        if (status !== "deleted") return;
        stop();
        resolve({ ...(endedAt === undefined ? {} : { endedAt }), retained: at });
      });
    });
    expect(endedAt).toBeGreaterThan(0);
    expect(retained - endedAt).toBeGreaterThanOrEqual(300);
    await expect(started.get()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });
}
