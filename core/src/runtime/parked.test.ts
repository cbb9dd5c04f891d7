import { describe, expect, it } from "vitest";
import { keyed } from "../../test/stage.ts";
import {
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  type Hephaestus,
  memoryStorage,
  type RunStatus,
  type Storage,
  type,
  wait,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

const ID = "flow/n::1";

/** A workflow that reserves, waits, and ends. */
function code(undone: string[] = []) {
  const reserve = defineStep({ name: "reserve", run: () => "r", compensate: () => void undone.push("reserve") });
  const hold = waitForEvent({ name: "hold", events: { go: type<number>() } });
  return defineWorkflow({
    name: "flow",
    input: type<object>(),
    unique: { key: "n" },
    start: reserve,
    transitions: ({ on }) => [on(reserve, { done: hold }), on(hold, { go: done })],
    output: [hold],
  });
}

/** An engine without the code that the instance needs. */
const bare = (storage: Storage) => createHephaestus({ workflows: [], storage });

function reaches(engine: Hephaestus, status: RunStatus): Promise<void> {
  return new Promise((resolve) => {
    const stop = engine.subscribe(ID, (change) => {
      if (change.status !== status) return;
      stop();
      resolve();
    });
  });
}

/** An instance that waits, and whose code is gone. */
async function parked(undone: string[] = []) {
  const storage = memoryStorage();
  const before = code(undone);
  const one = createHephaestus({ workflows: [before], storage });
  await one.for(before).start("1", {});
  await reaches(one, "waiting");
  await one.close();
  return { storage, before };
}

describe("an instance without its code", () => {
  it("is parked, and says so; what only its code can do is refused", async () => {
    const { storage } = await parked();
    const engine = bare(storage);
    expect(await engine.get(ID)).toMatchObject({ parked: true, status: "waiting" });
    await expect(engine.retry(ID)).rejects.toMatchObject({ code: "PARKED" });
    await expect(engine.adopt(ID)).rejects.toMatchObject({ code: "PARKED" });
    await expect(engine.scheduleResume(ID, "hold", { seconds: 1 }, { event: "go" })).rejects.toMatchObject({
      code: "PARKED",
    });
    await engine.close();
  });

  it("keeps events in its inbox, each once, and takes them when the code is back", async () => {
    const { storage, before } = await parked();
    const engine = bare(storage);
    expect(await engine.resume(ID, "go", 7, { id: "e" })).toBe("queued");
    expect(await engine.resume(ID, "go", 7, { id: "e" })).toBe("queued");
    expect((await engine.get(ID)).inbox).toHaveLength(1);
    await engine.close();
    const back = createHephaestus({ workflows: [before], storage });
    expect(await back.for(before).result("1")).toEqual({ hold: 7 });
    await back.close();
  });

  it("is cancelled when the code is back: what it did is undone", async () => {
    const undone: string[] = [];
    const { storage, before } = await parked(undone);
    const engine = bare(storage);
    await engine.cancel(ID);
    expect(await engine.get(ID)).toMatchObject({ status: "compensating", parked: true });
    await expect(engine.resume(ID, "go", 1)).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    await engine.close();
    expect(undone).toEqual([]);
    const back = createHephaestus({ workflows: [before], storage });
    await reaches(back, "cancelled");
    expect(undone).toEqual(["reserve"]);
    expect((await back.get(ID)).steps.hold?.status).toBe("cancelled");
    await back.close();
  });

  it("remembers a pause, and that it is over", async () => {
    const { storage, before } = await parked();
    const engine = bare(storage);
    await engine.pause(ID);
    expect(await engine.get(ID)).toMatchObject({ status: "paused" });
    expect(await engine.resume(ID, "go", 3)).toBe("queued");
    await engine.close();
    const back = createHephaestus({ workflows: [before], storage });
    expect(await back.get(ID)).toMatchObject({ status: "paused" });
    await back.close();
    const again = bare(storage);
    await again.unpause(ID);
    await expect(again.unpause(ID)).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    await again.close();
    const last = createHephaestus({ workflows: [before], storage });
    expect(await last.for(before).result("1")).toEqual({ hold: 3 });
    await last.close();
  });

  it("can be deleted by force", async () => {
    const { storage } = await parked();
    const engine = bare(storage);
    await engine.delete(ID);
    await expect(engine.get(ID)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    await engine.close();
  });

  it("is heard by the runner that has the code, while another without it is asked", async () => {
    const storage = memoryStorage();
    const before = code();
    const knowing = createHephaestus({ workflows: [before], storage, local: { sweepMs: 20 } });
    const flow = await knowing.for(before).start("1", {});
    await reaches(knowing, "waiting");
    const engine = bare(storage);
    expect(await engine.resume(ID, "go", 9)).toBe("queued");
    expect(await flow.result()).toEqual({ hold: 9 });
    await Promise.all([engine.close(), knowing.close()]);
  });

  it("gives what was kept first, whatever is asked first when the code is back", async () => {
    const { storage, before } = await parked();
    const engine = bare(storage);
    expect(await engine.resume(ID, "go", 1)).toBe("queued");
    await engine.close();
    // Its clock stands still, so that it has not looked at what is due.
    const back = createHephaestus({ workflows: [before], storage, clock: virtualClock() });
    await expect(back.resume(ID, "go", 2)).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    expect(await back.for(before).result("1")).toEqual({ hold: 1 });
  });

  it("takes an event that was kept in time, though its timer came due before the code was back", async () => {
    const hold = waitForEvent({ name: "hold", events: { go: type<number>() }, timeout: { minutes: 1 } });
    const flow = defineWorkflow({
      name: "flow",
      input: type<object>(),
      unique: { key: "n" },
      start: hold,
      transitions: ({ on }) => [on(hold, { go: done, timeout: done })],
      output: [hold],
    });
    const [storage, clock] = [memoryStorage(), virtualClock()];
    const [one, engine] = [flow, undefined].map((code) =>
      createHephaestus({ workflows: code ? [code] : [], storage, clock }),
    ) as [Hephaestus, Hephaestus];
    await one.for(flow).start("1", {});
    await one.close();
    await engine.resume(ID, "go", 1);
    await clock.advance(60_000);
    const back = createHephaestus({ workflows: [flow], storage, clock });
    await expect(back.pause(ID)).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    expect(await back.for(flow).result("1")).toEqual({ hold: 1 });
  });

  it("fires no timer of what was cancelled while the code was not there", async () => {
    const nap = wait({ name: "nap", for: { minutes: 1 } });
    const flow = keyed("flow", { start: nap, on: ({ on }) => [on(nap, { done })] });
    const [storage, clock] = [memoryStorage(), virtualClock()];
    const one = createHephaestus({ workflows: [flow], storage, clock });
    await one.for(flow).start("1", {});
    await one.close();
    const engine = createHephaestus({ workflows: [], storage, clock });
    await engine.cancel(ID);
    await clock.advance(60_000);
    const back = createHephaestus({ workflows: [flow], storage, clock });
    await clock.advance(1_000);
    expect(await back.get(ID)).toMatchObject({ status: "cancelled", steps: { nap: { status: "cancelled" } } });
  });
});
