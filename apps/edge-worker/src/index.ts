import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

export class WorkflowInstance extends DurableObject<Cloudflare.Env> {}

const app = new Hono<{ Bindings: Cloudflare.Env }>();
app.get("/health", (context) => context.json({ status: "ok" }));

export default {
  fetch: app.fetch,
  async queue(batch) {
    batch.ackAll();
  },
  async scheduled() {},
} satisfies ExportedHandler<Cloudflare.Env>;
