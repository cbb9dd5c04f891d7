import type { Registry } from "@hephaestus/core";
import { objectOf } from "./object-api.ts";
import { objectName } from "./object-name.ts";
import type { EdgeBindings, Timing } from "./options.ts";
import { callObject, fromWire } from "./wire.ts";

/** How many instances one sweep looks after: a Worker may make 1,000 calls. Which ones, the index leaves to chance. */
const SWEEP_LIMIT = 400;

export interface SweepPorts {
  readonly namespace: string;
  readonly registry: Registry;
  readonly timing: Timing;
}

/**
 * Has the objects of overdue instances look after themselves. Their alarms do that; one is lost only when it failed
 * for minutes on end, as after a deployment that could not start.
 */
export async function sweep(
  { objects, index }: Pick<EdgeBindings, "objects" | "index">,
  { namespace, registry, timing }: SweepPorts,
): Promise<void> {
  const retained = registry.all.flatMap(({ graph: { workflow, retentionMs } }) =>
    retentionMs === undefined ? [] : [{ workflow, retentionMs }],
  );
  const before = Date.now() - timing.overdueMs;
  const overdue = (await index?.overdue({ before, limit: SWEEP_LIMIT, retained })) ?? [];
  const looks = overdue.map(async ({ id, run }) => {
    try {
      const name = objectName({ namespace, id });
      const latest = fromWire(
        await callObject(
          () => objectOf(objects, name),
          (stub) => stub.look(),
        ),
      );
      // Nothing is left of it but its row.
      if (latest === 0) await index?.drop(id, run);
    } catch (error) {
      console.error("hephaestus: sweep", id, error);
    }
  });
  await Promise.all(looks);
}
