import { d1Index, migrate } from "@hephaestus/d1";
import { hephaestusEdge, type StepMessage } from "@hephaestus/durable-objects";
import { anonymous, httpRoutes } from "@hephaestus/http";
import { Hono } from "hono";
import { workflows } from "./workflows.ts";

interface Env {
  readonly INSTANCES: DurableObjectNamespace;
  readonly DB: D1Database;
  readonly STEPS: Queue<StepMessage>;
  readonly WITNESS_URL: string;
}

/** How soon what is lost is noticed: a kill must not cost the harness its patience. */
const WATCH_MS = 1_000;

const edge = hephaestusEdge<Env>({
  workflows,
  bindings: (env) => ({ objects: env.INSTANCES, queue: env.STEPS, index: d1Index(env.DB) }),
  connectors: ({ WITNESS_URL }) => ({
    witness: {
      async tell(path, key) {
        const response = await fetch(WITNESS_URL + path, { method: "POST", headers: { "idempotency-key": key } });
        // The body must be read for the connection to be free again.
        await response.text();
        if (!response.ok) throw new Error(`the witness answered ${response.status} to ${path}`);
      },
    },
  }),
  timing: () => ({ watchdogMs: WATCH_MS, leaseMs: WATCH_MS, claimMs: WATCH_MS, refreshMs: WATCH_MS }),
});

export class WorkflowInstance extends edge.Instance {}

const app = new Hono<{ Bindings: Env }>()
  .post("/migrate", async ({ env, body }) => {
    await migrate(env.DB);
    return body(null, 204);
  })
  // What D1 holds, as it stands there: not by way of the engine's own queries.
  .get("/rows", async ({ env, json }) => {
    const { results } = await env.DB.prepare("SELECT * FROM hephaestus_instances").all();
    return json(results);
  })
  .route("/", httpRoutes<{ Bindings: Env }>({ engine: ({ env }) => edge.engine(env), authenticate: anonymous }));

export default { fetch: app.fetch, queue: edge.queue } satisfies ExportedHandler<Env, StepMessage>;
