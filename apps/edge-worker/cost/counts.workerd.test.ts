import { runInDurableObject } from "cloudflare:test";
import { env as bound } from "cloudflare:workers";
import { migrate } from "@hephaestus/d1";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { COUNTS } from "./counts.ts";
import { edge, used, type WorkflowInstance } from "./worker.ts";
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

/** The row of D1, read without the engine: its calls would count. */
async function row(id: string) {
  return env.DB.prepare("SELECT status, current FROM hephaestus_instances WHERE id = ?").bind(id).first();
}

const alarmOf = (id: string) => runInDurableObject(env.INSTANCES.getByName(id), (_, { storage }) => storage.getAlarm());

const atRest = (id: string, status: string, hasAlarm: (at: number | null) => boolean = (at) => at === null) =>
  vi.waitFor(async () => {
    expect((await row(id))?.status).toBe(status);
    expect(await alarmOf(id)).toSatisfy(hasAlarm);
  }, 20_000);

async function run(shape: Shape): Promise<void> {
  const engine = edge.engine(env);
  const workflow = shapes[shape];
  const id = engine.for(workflow).idOf("1");
  const begun = Date.now();
  await engine.for(workflow).start("1", { n: 1 });
  if (workflow.name === "event") {
    await atRest(id, "waiting");
    await engine.resume(id, "yes", { by: "ann" });
  }
  if (workflow.name === "timer") {
    await atRest(id, "waiting", (at) => at !== null && at >= begun + NAP_MS);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + NAP_MS);
    // Not by runDurableObjectAlarm, which deletes the alarm itself: that would count.
    await runInDurableObject(env.INSTANCES.getByName(id), (object: WorkflowInstance) => object.alarm());
  }
  await atRest(id, "completed");
}

afterEach(() => {
  vi.useRealTimers();
});

describe("what a workflow uses", () => {
  for (const shape of Object.keys(shapes) as Shape[]) {
    it(shape, { timeout: 30_000 }, async () => {
      await run(shape);
      expect({ ...used }).toEqual(COUNTS[shape]);
    });
  }
});
