import { createHephaestus, type Hephaestus, makeRegistry } from "@hephaestus/core";
import { handleDeadLetters } from "./dead-letters.ts";
import type { InstanceObject } from "./instance-object.ts";
import { instanceObject } from "./object-class.ts";
import { checkNamespace } from "./object-name.ts";
import { timingOf } from "./object-parts.ts";
import { objectRunner } from "./object-runner.ts";
import type { EdgeOptions, StepMessage } from "./options.ts";
import { consumeSteps } from "./queue-consumer.ts";
import { sweep } from "./sweep.ts";

/** What a Worker exports and uses: the object's class, the handlers, the engine. */
export interface Edge<Env> {
  readonly Instance: new (ctx: DurableObjectState, env: Env) => InstanceObject<Env>;
  /** Runs the steps of a batch; of the dead letter queue, looks after the instances. Never throws. */
  queue(batch: MessageBatch<StepMessage>, env: Env): Promise<void>;
  /** Looks after instances whose alarm was lost; for a cron trigger. */
  scheduled(controller: unknown, env: Env): Promise<void>;
  /**
   * The engine, or the one of a name: engines of several names share the class, the queue and the databases, and never
   * see each other's instances.
   * @throws HephaestusError OPTION_INVALID
   */
  engine(env: Env, namespace?: string): Hephaestus;
}

/**
 * An engine at Cloudflare's edge.
 * @example
 * const edge = hephaestusEdge<Env>({ workflows: [orderFlow], bindings: (env) => ({ objects: env.INSTANCES }) });
 * export class WorkflowInstance extends edge.Instance {}
 * export default { fetch: (request, env) => handle(request, edge.engine(env)), queue: edge.queue, scheduled: edge.scheduled };
 */
export function hephaestusEdge<Env extends object>(options: EdgeOptions<Env>): Edge<Env> {
  const { workflows } = options;
  const registry = makeRegistry(workflows);
  const engines = new WeakMap<Env, Map<string, Hephaestus>>();
  return {
    Instance: instanceObject(options),
    queue(batch, env) {
      const ports = { registry, options, env, timing: timingOf(options, env) };
      return batch.queue === options.deadLetterQueue ? handleDeadLetters(batch, ports) : consumeSteps(batch, ports);
    },
    async scheduled(_controller, env) {
      for (const namespace of options.namespaces?.(env) ?? [""]) {
        await sweep(options.bindings(env, namespace), { namespace, registry, timing: timingOf(options, env) });
      }
    },
    engine(env, namespace = "") {
      const ofEnv = engines.get(env) ?? new Map<string, Hephaestus>();
      engines.set(env, ofEnv);
      const made =
        ofEnv.get(namespace) ??
        createHephaestus({
          workflows,
          runner: () => objectRunner(options.bindings(env, checkNamespace(namespace)), namespace),
        });
      ofEnv.set(namespace, made);
      return made;
    },
  };
}
