import { d1Index } from "@hephaestus/d1";
import { hephaestusEdge, type StepMessage } from "@hephaestus/durable-objects";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import { githubWebhook, httpRoutes } from "@hephaestus/http";
import type { Context } from "hono";
import { mayCall } from "./authentication.ts";
import { gitHubCodeHost } from "./code-host.ts";
import { handleDelivery } from "./pull-request-webhook.ts";

type Env = Cloudflare.Env;

const edge = hephaestusEdge<Env>({
  workflows: [pullRequestFlow],
  bindings: (env) => ({ objects: env.INSTANCES, queue: env.STEPS, index: d1Index(env.DB) }),
  deadLetterQueue: "hephaestus-steps-dead",
  connectors: (env) => ({ codeHost: gitHubCodeHost(env.GITHUB_API_URL, env.GITHUB_TOKEN) }),
  timing: ({ WATCHDOG_SECONDS }) => {
    const ms = Number(WATCHDOG_SECONDS) * 1_000;
    return ms > 0 ? { watchdogMs: ms, leaseMs: ms, claimMs: ms, refreshMs: ms } : {};
  },
});

/** One workflow instance each. */
export class WorkflowInstance extends edge.Instance {}

const app = httpRoutes<{ Bindings: Env }>({
  engine: (context) => edge.engine(context.env),
  authenticate: (request, context) => mayCall(request, context.env.API_TOKEN),
  webhooks: [
    githubWebhook<Context<{ Bindings: Env }>>({
      path: "/webhooks/github",
      secret: (context) => context.env.GITHUB_WEBHOOK_SECRET ?? "",
      handle: handleDelivery,
    }),
  ],
});

export default { fetch: app.fetch, queue: edge.queue, scheduled: edge.scheduled } satisfies ExportedHandler<
  Env,
  StepMessage
>;
