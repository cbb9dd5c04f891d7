import { STATE_FORMAT } from "../../engine/state.ts";
import type { InstanceView } from "../../runtime/instance-view.ts";
import type { Storage } from "../../runtime/storage.ts";
import { testEngine } from "../test-engine.ts";
import { virtualClock } from "../virtual-clock.ts";
import type { GoldenFile } from "./kept.ts";
import { restore } from "./kept.ts";
import { play, type Scenario } from "./scenarios.ts";

/** What today's version stores of a scenario. */
export async function makeGolden(name: string, scenario: Scenario): Promise<GoldenFile> {
  const { id, commits } = await play(scenario);
  const view = await viewOf(await restore({ commits }), id, scenario);
  return { format: STATE_FORMAT, scenario: name, id, commits, view: view ?? null, ends: scenario.ends };
}

/** What a caller sees of a stored instance, before anything goes on. Null where it was deleted. */
export async function viewOf(storage: Storage, id: string, { workflows }: Scenario): Promise<InstanceView | null> {
  // Its clock stands, so that nothing is taken over.
  const engine = testEngine({ workflows, storage, clock: virtualClock() });
  return engine.get(id).catch((error: { code?: unknown }) => {
    if (error.code === "INSTANCE_NOT_FOUND") return null;
    throw error;
  });
}
