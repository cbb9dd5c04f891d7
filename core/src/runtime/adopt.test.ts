import { expect, it } from "vitest";
import { keyed, stage } from "../../test/stage.ts";
import {
  type AnyWorkflow,
  createHephaestus,
  defineStep,
  done,
  memoryStorage,
  telemetryBus,
  type,
  wait,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
const nap = wait({ name: "nap", for: { minutes: 1 } });
const { plain } = stage();
const [first, extra] = [plain("first"), plain("extra")];
const before = keyed("flow", {
  start: first,
  on: ({ on }) => [on(first, { done: [hold, nap] }), on(hold, { go: done }), on(nap, { done })],
});
const after = keyed("flow", {
  start: first,
  on: ({ on }) => [
    on(first, { done: [hold, nap] }),
    on(hold, { go: extra }),
    on(nap, { done: extra }),
    on(extra, { done }),
  ],
});

/** An instance that was begun by other code than the engines have. */
async function parked(code: AnyWorkflow = after, begunBy: AnyWorkflow = before, cancels = false) {
  const [storage, clock, id] = [memoryStorage(), virtualClock(), "flow/n::1"];
  const old = createHephaestus({ workflows: [begunBy], storage, clock });
  await old.start("flow", {}, { key: "1", id: "first" });
  await clock.settle();
  if (cancels) await old.cancel(id);
  await clock.settle();
  await old.close();
  // With a bus that somebody listens to, records are folded another way.
  const telemetry = telemetryBus();
  telemetry.attach("test", "*", () => {});
  return {
    open: (told = false) => createHephaestus({ workflows: [code], storage, clock, ...(told ? { telemetry } : {}) }),
    clock,
    id,
  };
}

it.each([false, true])("what is parked goes on under the code that it is adopted by, joins and all", async (told) => {
  const { open, clock, id } = await parked();
  const engine = open(told);
  expect(await engine.get(id)).toMatchObject({ parked: true });
  await engine.adopt(id, { id: "a1" });
  await engine.adopt(id, { id: "a1" });
  expect(await engine.get(id)).toMatchObject({ parked: false, status: "waiting" });
  expect(await engine.resume(id, "go")).toBe("delivered");
  expect((await engine.get(id)).steps.extra).toBeUndefined();
  await clock.advance(60_000);
  expect(await engine.get(id)).toMatchObject({ status: "completed", steps: { extra: { status: "completed" } } });
});

it("another process with that code finds its timers, also one that knew it as parked", async () => {
  const { open, clock, id } = await parked();
  const [engine, other] = [open(), open()];
  expect(await other.resume(id, "else")).toBe("queued");
  await engine.adopt(id);
  await engine.close();
  expect(await other.resume(id, "go")).toBe("delivered");
  await other.close();
  const third = open();
  await clock.advance(60_000);
  expect((await third.get(id)).status).toBe("completed");
});

it("nobody who only looks at what is due goes without it", async () => {
  const { open, clock, id } = await parked();
  const engine = open();
  await engine.adopt(id);
  await engine.close();
  const next = open();
  await clock.advance(60_000);
  expect((await next.get(id)).steps.nap?.status).toBe("completed");
});

it("code that has lost what was touched is refused with what is missing, and the instance stays as it was", async () => {
  const lost = keyed("flow", { start: first, on: ({ on }) => [on(first, { done: nap }), on(nap, { done })] });
  const { open, id } = await parked(lost);
  const engine = open();
  await expect(engine.adopt(id)).rejects.toMatchObject({ code: "PARKED", details: { id, lost: "step hold" } });
  expect(await engine.get(id)).toMatchObject({ parked: true, status: "waiting" });
});

it("where no code of its version is here, there is nothing to adopt it by", async () => {
  const { open, id } = await parked(keyed("another", { start: extra, on: ({ on }) => [on(extra, { done })] }));
  await expect(open().adopt(id)).rejects.toMatchObject({ code: "PARKED" });
});

it("an instance that is refused stays as it was, though there would be something to do", async () => {
  const lost = keyed("flow", { start: first, on: ({ on }) => [on(first, { done: nap }), on(nap, { done })] });
  const { open, id } = await parked(lost);
  const engine = open();
  await engine.cancel(id);
  const { revision } = await engine.get(id);
  await expect(engine.adopt(id)).rejects.toMatchObject({ code: "PARKED" });
  expect(await engine.get(id)).toMatchObject({ revision, parked: true, status: "compensating" });
});

it("a step that no edge leads to any more is refused: it would run beside what is led to in its place", async () => {
  const other = waitForEvent({ name: "other", events: { on: type<undefined>() } });
  const moved = keyed("flow", {
    start: first,
    on: ({ on }) => [
      on(first, { done: [other, nap] }),
      on(other, { on: hold }),
      on(hold, { go: done }),
      on(nap, { done }),
    ],
  });
  const { open, id } = await parked(moved);
  await expect(open().adopt(id)).rejects.toMatchObject({ code: "PARKED", details: { id, lost: "the edge to hold" } });
});

/** Two editions of a workflow whose first step can be undone. */
function undoable(undone: string[], compensate = () => void undone.push("first")) {
  const one = defineStep({ name: "first", run: () => {}, compensate });
  const old = keyed("flow", { start: one, on: ({ on }) => [on(one, { done: hold }), on(hold, { go: done })] });
  const longer = keyed("flow", {
    start: one,
    on: ({ on }) => [on(one, { done: hold }), on(hold, { go: extra }), on(extra, { done })],
  });
  return { old, longer };
}

it("what was cancelled while it was parked is undone under the code that it is adopted by", async () => {
  const undone: string[] = [];
  const { old, longer } = undoable(undone);
  const { open, clock, id } = await parked(longer, old);
  const engine = open();
  await engine.cancel(id);
  await engine.adopt(id);
  await clock.settle();
  expect(await engine.get(id)).toMatchObject({ status: "cancelled", steps: { hold: { status: "cancelled" } } });
  expect(undone).toEqual(["first"]);
});

it("code that cannot undo what is being undone is refused", async () => {
  const { old } = undoable([], () => {
    throw new Error("not now");
  });
  const { open, id } = await parked(after, old, true);
  const lost = "the compensation of step first";
  await expect(open().adopt(id)).rejects.toMatchObject({ code: "PARKED", details: { lost } });
});

it("a start that is told again has no code that its run was not adopted by", async () => {
  const broken = defineStep({
    name: "first",
    retry: { maxAttempts: 1 },
    run: () => {
      throw new Error("broken");
    },
  });
  const { open, id } = await parked(
    after,
    keyed("flow", { start: broken, on: ({ on }) => [on(broken, { done: nap }), on(nap, { done })] }),
  );
  const engine = open();
  const again = engine.start("flow", {}, { key: "1", id: "first" });
  await expect(engine.retry(id)).rejects.toMatchObject({ code: "PARKED" });
  expect(await again).toMatchObject({ run: 1 });
  expect(await engine.get(id)).toMatchObject({ status: "failed", parked: true });
});

/** Two editions of a workflow, and engines with one or the other on one storage. */
function fleet(concurrency = 256) {
  const { runs, gate, gated } = stage();
  const [one, two] = [gated("one"), gated("two")];
  const old = keyed("flow", { start: [one, two], on: ({ on }) => [on(one, { done }), on(two, { done })] });
  const longer = keyed("flow", {
    start: [one, two],
    on: ({ on }) => [on(one, { done: extra }), on(two, { done: extra }), on(extra, { done })],
  });
  const [storage, clock, id] = [memoryStorage(), virtualClock(), "flow/n::1"];
  const open = (code: AnyWorkflow) =>
    createHephaestus({ workflows: [code], storage, clock, local: { concurrency, leaseMs: 1_000, sweepMs: 200 } });
  return { runs, gate, old, longer, open, clock, id };
}

it("what waits for its place where the code was is not begun there any more", async () => {
  const { runs, gate, old, longer, open, clock, id } = fleet(1);
  const [mine, other] = [open(old), open(longer)];
  await mine.for(old).start("1", {});
  await clock.settle();
  await other.adopt(id);
  await clock.settle();
  gate("one").resolve(null);
  gate("two").resolve(null);
  await clock.settle();
  expect(runs).toEqual(["1one@1"]);
  await clock.advance(10_000);
  expect(runs).toEqual(["1one@1", "1one@2", "1two@2"]);
  expect((await other.get(id)).status).toBe("completed");
});

it("a runner that adopts what was taken from it begins nothing under a token that it has begun", async () => {
  const { runs, gate, old, longer, open, clock, id } = fleet();
  const [mine, other] = [open(longer), open(old)];
  await mine.for(longer).start("1", {});
  await clock.settle();
  await other.adopt(id);
  await clock.settle();
  // Its result is lost: whoever hears it has other code.
  gate("one").resolve(null);
  await clock.settle();
  await mine.adopt(id);
  await clock.settle();
  expect(runs).toEqual(["1one@1", "1two@1", "1one@2", "1two@2"]);
  gate("two").resolve(null);
  await clock.settle();
  expect((await mine.get(id)).status).toBe("completed");
});
