import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { runnerConformance } from "@hephaestus/core/testing/conformance";
import { edge, telemetry } from "../test/worker.ts";

runnerConformance("Durable Objects", async () => ({
  engine: edge.engine(env),
  telemetry,
  async crash() {
    await abortAllDurableObjects();
    return edge.engine(env);
  },
}));
