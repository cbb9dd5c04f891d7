import { expect, it } from "vitest";
import { keyed } from "../../test/stage.ts";
import {
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  memoryStorage,
  type Storage,
  type,
  waitForEvent,
} from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

/** A storage that writes down what it is asked, and how many rows each answer holds. */
function counting(storage: Storage) {
  const asked: string[] = [];
  const noted = <T extends readonly unknown[] | undefined>(what: string, rows: T): T => {
    asked.push(`${what}: ${rows?.length ?? 0}`);
    return rows;
  };
  const told: Storage = {
    ...storage,
    load: async (id, after) => noted("load", await storage.load(id, after)),
    commit: (commits) => noted("commit", commits) && storage.commit(commits),
    payloads: async (id, revisions) => noted("payloads", await storage.payloads(id, revisions)),
    due: async (request) => noted("due", await storage.due(request)),
    query: async (filter) => {
      const page = await storage.query(filter);
      noted("query", page.items);
      return page;
    },
  };
  return { asked, storage: told };
}

it("LESSONS 14: a start asks its storage for as much among a thousand instances as when it is the first", async () => {
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
  const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
  const { asked, storage } = counting(memoryStorage());
  const clock = virtualClock();
  const engine = createHephaestus({ workflows: [flow], storage, clock });
  await clock.settle();
  const costOf = async (key: string) => {
    asked.length = 0;
    await engine.for(flow).start(key, {});
    return [...asked];
  };
  const first = await costOf("first");
  for (let n = 0; n < 1_000; n++) await engine.for(flow).start(`k${n}`, {});
  expect(first).toEqual(["commit: 1"]);
  expect(await costOf("last")).toEqual(first);
  await engine.close();
});

it("a run without an input reads nothing from its storage either", async () => {
  const step = defineStep({ name: "step", run: ({ input }) => `got ${input}` });
  const flow = defineWorkflow({
    name: "flow",
    input: type<undefined>(),
    start: step,
    transitions: ({ on }) => [on(step, { done })],
    output: [step],
  });
  const { asked, storage } = counting(memoryStorage());
  const clock = virtualClock();
  const engine = createHephaestus({ workflows: [flow], storage, clock });
  await clock.settle();
  asked.length = 0;
  const started = await engine.for(flow).start(undefined);
  await clock.settle();
  expect(asked).toEqual(["commit: 1", "commit: 1"]);
  expect(await started.result()).toEqual({ step: "got undefined" });
  await engine.close();
});
