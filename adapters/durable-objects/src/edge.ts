import { type Connectors, createHephaestus, type Hephaestus, makeRegistry } from "@hephaestus/core";
import { type InstanceObject, instanceObject } from "./instance-object.ts";
import { objectRunner } from "./object-runner.ts";
import { type EdgeOptions, type StepMessage, TIMING_DEFAULT } from "./options.ts";
import { consumeSteps } from "./queue-consumer.ts";

/** What a Worker exports and uses: the object's class, the queue's handler, the engine. */
export interface Edge<Env> {
  readonly Instance: new (ctx: DurableObjectState, env: Env) => InstanceObject<Env>;
  queue(batch: MessageBatch<StepMessage>, env: Env): Promise<void>;
  engine(env: Env): Hephaestus;
}

/**
 * An engine at Cloudflare's edge.
 * @example
 * const edge = hephaestusEdge<Env>({ workflows: [orderFlow], bindings: (env) => ({ objects: env.INSTANCES }) });
 * export class WorkflowInstance extends edge.Instance {}
 * export default { fetch: (request, env) => handle(request, edge.engine(env)), queue: edge.queue };
 */
export function hephaestusEdge<Env>(options: EdgeOptions<Env>): Edge<Env> {
  const { workflows } = options;
  const registry = makeRegistry(workflows);
  return {
    Instance: instanceObject(options),
    async queue(batch, env) {
      await consumeSteps(batch, {
        objects: options.bindings(env).objects,
        registry,
        connectors: (options.connectors?.(env) ?? {}) as Connectors,
        timing: { ...TIMING_DEFAULT, ...options.timing?.(env) },
      });
    },
    engine: (env) => createHephaestus({ workflows, runner: () => objectRunner(options.bindings(env)) }),
  };
}
