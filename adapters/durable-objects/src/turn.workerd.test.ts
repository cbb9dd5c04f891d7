import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { beWholeBeforeEach, stubOf } from "../test/helpers.ts";
import { calledOut, edge } from "../test/worker.ts";
import { hastyFlow } from "../test/workflows.ts";
import { objectName } from "./object-name.ts";

beWholeBeforeEach();

for (const [namespace, firstWrite] of [
  ["bare", "put"],
  ["", "setAlarm"],
] as const) {
  it(`what a step calls leaves after what led to it is stored: something was written before it, by ${firstWrite}`, async () => {
    const flow = edge.engine(env, namespace).for(hastyFlow);
    const object = objectName({ namespace, id: flow.idOf("1") });
    await expect(flow.start("1", { object })).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(calledOut.after.get(object)).toEqual(["list", firstWrite]);
    // The turn is gone with its object: the call never left, and nothing is stored.
    await env.INSTANCES.getByName("called").called("the test");
    expect(calledOut.arrived).not.toContain(object);
    const stored = await runInDurableObject(stubOf(object), async (_, { storage }) => ({
      keys: [...storage.kv.list()].length,
      alarm: await storage.getAlarm(),
    }));
    expect(stored).toEqual({ keys: 0, alarm: null });
  });
}
