import { makeRegistry, type TelemetryProbe } from "@hephaestus/core";
import { InstanceObject } from "./instance-object.ts";
import type { Shared } from "./object-parts.ts";
import type { EdgeOptions } from "./options.ts";

/**
 * Makes the object's class from the workflows.
 * @example export class WorkflowInstance extends instanceObject<Env>({ workflows, bindings }) {}
 */
export function instanceObject<Env>(
  options: EdgeOptions<Env>,
): new (
  ctx: DurableObjectState,
  env: Env,
) => InstanceObject<Env> {
  let probe: TelemetryProbe | undefined;
  const shared: Shared<Env> = {
    options,
    registry: makeRegistry(options.workflows),
    telemetry() {
      probe ??= options.telemetry?.probe({
        runner: "durable-objects",
        runnerId: crypto.randomUUID(),
        at: Date.now(),
      });
      return probe;
    },
  };
  return class extends InstanceObject<Env> {
    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env, shared);
    }
  };
}
