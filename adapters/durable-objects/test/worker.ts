import { runnerWorkflows } from "@hephaestus/core/testing/conformance";
import { hephaestusEdge, type StepMessage } from "../src/index.ts";
import { type TestIndex, testIndex } from "./memory-index.ts";
import { type Witness, workflows } from "./workflows.ts";
import { countWrites } from "./write-counter.ts";

// The types of `env` in the tests.
declare global {
  namespace Cloudflare {
    interface Env {
      readonly INSTANCES: DurableObjectNamespace<WorkflowInstance>;
      readonly STEPS: Queue<StepMessage>;
    }
  }
}

/** What the tests see of the inside: they run in the same isolate as the worker. */
export const witnessed: { step: string; key: string }[] = [];
const gates = new Map<string, PromiseWithResolvers<void>>();
export function gateOf(name: string): PromiseWithResolvers<void> {
  const gate = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, gate);
  return gate;
}
export function closeGates(): void {
  gates.clear();
}
export const index: TestIndex = testIndex();

const witness: Witness = {
  ran: (step, key) => void witnessed.push({ step, key }),
  gate: (name) => gateOf(name).promise,
};

export const edge = hephaestusEdge<Cloudflare.Env>({
  workflows: [...workflows, ...runnerWorkflows],
  bindings: (env) => ({ objects: env.INSTANCES, queue: env.STEPS, index }),
  connectors: () => ({ witness }),
  timing: () => ({ watchdogMs: 400, leaseMs: 600, claimMs: 600, refreshMs: 200 }),
});

export class WorkflowInstance extends edge.Instance {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(countWrites(ctx), env);
  }
}

/** The steps that came through the queue. */
export const consumed: StepMessage[] = [];

export default {
  queue(batch, env) {
    consumed.push(...batch.messages.map((message) => message.body));
    return edge.queue(batch, env);
  },
} satisfies ExportedHandler<Cloudflare.Env, StepMessage>;
