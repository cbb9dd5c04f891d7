import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as bound } from "cloudflare:workers";
import type { Changes } from "@hephaestus/core";
import { migrate } from "@hephaestus/d1";
import { objectName } from "@hephaestus/durable-objects";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { COUNTS } from "./counts.ts";
import { database, edge, used, WITHOUT_INDEX } from "./worker.ts";
import { NAP_MS, type Shape, shapes } from "./workflows.ts";

/*
 * What the page on cost is computed from is counted here: all that is billed of a workflow, from its start until it has
 * ended, D1 knows and the object is at rest.
 */
const env = bound as unknown as Cloudflare.CostEnv;

beforeAll(() => migrate(env.DB));
beforeEach(() => {
  for (const name of Object.keys(used) as (keyof typeof used)[]) used[name] = 0;
});

/** Rings the object's alarm if it has one, in a fresh object, as it is when an alarm rings later on. */
async function ring(object: string): Promise<boolean> {
  await evictDurableObject(env.INSTANCES.getByName(object));
  return runDurableObjectAlarm(env.INSTANCES.getByName(object));
}

/** The instance has this status, D1 as well where it is told, and all of that has been heard of. */
async function reaches(status: string, object: string, { id, hasIndex }: Run): Promise<void> {
  // Not by the engine: its calls would count, and whoever looks has all stored that is known.
  const stored = () =>
    runInDurableObject(env.INSTANCES.getByName(object), (_, { storage }) =>
      [...storage.kv.list<{ changes: Changes }>({ prefix: "journal:" })].map(([, { changes }]) => changes.status),
    );
  const statusInIndex = () =>
    env.DB.prepare("SELECT status FROM hephaestus_instances WHERE ns = '' AND id = ?").bind(id).first("status");
  await vi.waitFor(async () => {
    expect((await stored()).at(-1)).toBe(status);
    if (hasIndex) expect([await statusInIndex(), database.asked]).toEqual([status, 0]);
  }, 20_000);
}

interface Run {
  readonly id: string;
  readonly hasIndex: boolean;
}

async function run(shape: Shape, hasIndex: boolean): Promise<void> {
  const namespace = hasIndex ? "" : WITHOUT_INDEX;
  const engine = edge.engine(env, namespace);
  const workflow = shapes[shape];
  const { id } = await engine.for(workflow).start("1", { n: 1 });
  const object = objectName({ namespace, id });
  const its = { id, hasIndex };
  if (workflow.name === "event") {
    await reaches("waiting", object, its);
    // Where an alarm was armed when it began, it is not needed any more.
    await ring(object);
    await engine.resume(id, "yes", { by: "ann" });
  }
  if (workflow.name === "timer") {
    await reaches("waiting", object, its);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + NAP_MS);
    await ring(object);
  }
  await reaches("completed", object, its);
  // What is left over rings for nothing, and nothing follows it.
  await ring(object);
  expect(await ring(object)).toBe(false);
}

afterEach(() => {
  vi.useRealTimers();
});

for (const [what, field] of [
  ["what a workflow uses", "withIndex"],
  ["what it uses where D1 is not told", "withoutIndex"],
] as const) {
  describe(what, () => {
    for (const shape of Object.keys(shapes) as Shape[]) {
      it(shape, { timeout: 30_000 }, async () => {
        await run(shape, field === "withIndex");
        expect({ ...used }).toEqual(COUNTS[shape][field]);
      });
    }
  });
}
