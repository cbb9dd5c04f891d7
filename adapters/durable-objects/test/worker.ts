import { DurableObject } from "cloudflare:workers";

// The types of `env` in the tests.
declare global {
  namespace Cloudflare {
    interface Env {
      readonly INSTANCES: DurableObjectNamespace<WorkflowInstance>;
      readonly DB: D1Database;
      readonly STEPS: Queue<{ readonly object: string }>;
    }
  }
}

/** Counts what it was sent: a placeholder. */
export class WorkflowInstance extends DurableObject<Cloudflare.Env> {
  count(): number {
    return this.ctx.storage.kv.get<number>("count") ?? 0;
  }
  add(): number {
    const count = this.count() + 1;
    this.ctx.storage.kv.put("count", count);
    return count;
  }
}

export default {
  async queue(batch, env) {
    for (const { body } of batch.messages) await env.INSTANCES.getByName(body.object).add();
  },
} satisfies ExportedHandler<Cloudflare.Env, { readonly object: string }>;
