import { type Clock, type Hephaestus, HephaestusError, systemClock } from "@hephaestus/core";
import { type Context, type Env, Hono } from "hono";
import { BODY_LIMIT_BYTES } from "./body.ts";
import { instanceRoutes } from "./instance-routes.ts";
import { HEARTBEAT_MS } from "./live-updates.ts";
import { openApiDocument } from "./openapi.ts";
import { HttpProblem, toProblemResponse } from "./problem.ts";
import { json, type Route, type RouteRequest } from "./route.ts";
import { health } from "./schemas.ts";
import { checkWebhook, type Webhook, webhookRoute } from "./webhook.ts";
import { workflowRoutes } from "./workflow-routes.ts";

/**
 * Says whether a request may be answered. It sees the request itself: whoever reads its body must `clone()` it first.
 */
export type Authenticate<E extends Env> = (request: Request, context: Context<E>) => boolean | Promise<boolean>;

/** Lets everybody in: said, not forgotten. */
export const anonymous = (): boolean => true;

// biome-ignore lint/suspicious/noExplicitAny: what Hono itself says for an app of any environment
export interface HttpOptions<E extends Env = any> {
  /** The engine, or where it is found for a request: a Worker has its bindings only then. */
  readonly engine: Hephaestus | ((context: Context<E>) => Hephaestus | Promise<Hephaestus>);
  /** Required; `anonymous` lets everybody in. Webhooks and `/health` do not ask it. */
  readonly authenticate: Authenticate<E>;
  /** The largest body, in bytes; `BODY_LIMIT_BYTES` unless said otherwise. */
  readonly bodyLimit?: number;
  readonly webhooks?: readonly Webhook[];
  /** Where the time comes from. */
  readonly clock?: Clock;
  /** How often a silent stream of changes says that it lives, in milliseconds; `HEARTBEAT_MS` unless said otherwise. */
  readonly heartbeatMs?: number;
  /** Told of what is answered with 500 or 503; written to the console unless said otherwise. */
  readonly onError?: (error: unknown, request: Request) => void;
}

const systemRoutes: readonly Route[] = [
  {
    method: "get",
    path: "/health",
    operation: "getHealth",
    summary: "Answers while the program runs. It does not ask the engine.",
    open: true,
    answers: { 200: { description: "It runs.", schema: health } },
    handle: () => json({ status: "ok" }),
  },
  {
    method: "get",
    path: "/openapi.json",
    operation: "getOpenApi",
    summary: "This description.",
    answers: { 200: { description: "OpenAPI 3.1.", schema: { type: "object" } } },
    // Wherever it is mounted, the document stands beside the routes.
    handle: ({ table, url }) => json(openApiDocument(table, url.pathname.replace(/\/openapi\.json$/, "") || "/")),
  },
];

/**
 * The routes of an engine, to be mounted in a Hono app or served by themselves.
 * @throws HephaestusError OPTION_INVALID without `authenticate`, or for a webhook's path that is not free
 * @example
 * const app = new Hono().route("/api", httpRoutes({
 *   engine: createHephaestus({ workflows: [orderFlow] }),
 *   authenticate: (request) => request.headers.get("authorization") === `Bearer ${token}`,
 * }));
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function httpRoutes<E extends Env = any>(options: HttpOptions<E>): Hono<E> {
  const { webhooks = [] } = options;
  if (typeof options.authenticate !== "function") {
    const message = "authenticate is required; `anonymous` lets everybody in";
    throw new HephaestusError("OPTION_INVALID", message, { field: "authenticate" });
  }
  for (const webhook of webhooks) checkWebhook(webhook);
  const table = [...workflowRoutes, ...instanceRoutes, ...systemRoutes, ...webhooks.map(webhookRoute)];
  const methods = methodsByPath(table);

  const app = new Hono<E>();
  for (const route of table) app.on(route.method, route.path, (context) => serve(context, options, table, route));
  for (const [path, allowed] of methods) {
    app.all(path, (context) => {
      const headers = { allow: allowed.join(", ") };
      return toProblemResponse(new HttpProblem("METHOD_NOT_ALLOWED", `${context.req.method} is not for this`, headers))
        .response;
    });
  }
  // Where the routes are mounted in another app, `notFound` is that app's: these names are ours all the same.
  for (const path of ["/workflows/*", "/instances/*"]) app.all(path, notFound);
  app.notFound(notFound);
  return app;
}

function methodsByPath(table: readonly Route[]): ReadonlyMap<string, string[]> {
  const methods = new Map<string, string[]>();
  const operations = new Set<string>();
  for (const { method, path, operation } of table) {
    const known = methods.get(path) ?? [];
    const name = method.toUpperCase();
    if (known.includes(name) || operations.has(operation)) {
      throw new HephaestusError("OPTION_INVALID", `two routes are ${name} ${path}`, { field: "webhooks" });
    }
    methods.set(path, [...known, ...(method === "get" ? ["GET", "HEAD"] : [name])]);
    operations.add(operation);
  }
  return methods;
}

function notFound(context: Context): Response {
  return toProblemResponse(new HttpProblem("NOT_FOUND", `there is nothing at ${context.req.path.slice(0, 200)}`))
    .response;
}

async function serve<E extends Env>(
  context: Context<E>,
  options: HttpOptions<E>,
  table: readonly Route[],
  route: Route,
): Promise<Response> {
  const { engine, authenticate, bodyLimit = BODY_LIMIT_BYTES, clock = systemClock, onError = report } = options;
  const { raw } = context.req;
  try {
    // Only `true` lets in: a promise that was not awaited, or an object, is a mistake.
    if (route.open !== true && (await authenticate(raw, context)) !== true) {
      throw new HttpProblem("UNAUTHENTICATED", "who asks is not known", { "www-authenticate": "Bearer" });
    }
    const request: RouteRequest = {
      raw,
      url: new URL(raw.url),
      context,
      param: (name) => context.req.param(name as never) ?? "",
      engine: async () => (typeof engine === "function" ? engine(context) : engine),
      bodyLimit,
      clock,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      table,
    };
    return await route.handle(request);
  } catch (error) {
    const { response, unexpected } = toProblemResponse(error);
    if (unexpected) onError(error, raw);
    return response;
  }
}

function report(error: unknown, request: Request): void {
  console.error(`${request.method} ${new URL(request.url).pathname}`, error);
}
