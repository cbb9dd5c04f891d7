import type { Clock, CommandOptions, Hephaestus } from "@hephaestus/core";
import type { Context } from "hono";
import { readBytes, readJson } from "./body.ts";
import { assertFits, type JsonSchema } from "./json-schema.ts";
import { IDEMPOTENCY_KEY } from "./wire.ts";

type Method = "get" | "post" | "delete";

/** A parameter in the query or a header, as OpenAPI shows it. */
export interface Parameter {
  readonly in: "query" | "header";
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
}

/** One answer that a route gives when all goes well. */
export interface Answer {
  readonly description: string;
  readonly schema?: JsonSchema;
  /** JSON unless said otherwise. */
  readonly contentType?: string;
}

/**
 * One route: what OpenAPI says of it and what it does stand together, so that they cannot drift apart.
 */
export interface Route {
  readonly method: Method;
  /** With parameters as Hono has them: `/instances/:id`. */
  readonly path: string;
  /** Its name in OpenAPI. */
  readonly operation: string;
  readonly summary: string;
  /** Answers without asking `authenticate`. */
  readonly open?: boolean;
  readonly parameters?: readonly Parameter[];
  /** By media type. */
  readonly bodies?: { readonly [contentType: string]: JsonSchema };
  readonly answers: { readonly [status: number]: Answer };
  readonly handle: (request: RouteRequest) => Response | Promise<Response>;
}

/** What a route is given of a request. */
export interface RouteRequest {
  readonly raw: Request;
  readonly url: URL;
  readonly context: Context;
  /** The decoded value of a parameter of the path. */
  param(name: string): string;
  engine(): Promise<Hephaestus>;
  readonly bodyLimit: number;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** All routes, for the one that describes them. */
  readonly table: readonly Route[];
}

/** A JSON answer. No cache may keep it: an instance changes at any time. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}

/** Reads a JSON body that fits the schema; an absent one counts as `{}`. */
export async function readBody<Body>(request: RouteRequest, schema: JsonSchema): Promise<Body> {
  const sent = await readJson(request.raw, request.bodyLimit);
  const body = sent === undefined ? {} : sent;
  assertFits(schema, body, "the body");
  return body as Body;
}

/** Reads a body that nobody looks at, so that the limit holds for it too and the connection can be used again. */
export async function ignoreBody(request: RouteRequest): Promise<void> {
  await readBytes(request.raw, request.bodyLimit);
}

/** The id of a command, from its `Idempotency-Key`: as it is, or as a quoted string of a structured field. */
export function commandOptions({ raw }: RouteRequest): CommandOptions {
  const key = raw.headers.get(IDEMPOTENCY_KEY);
  if (key === null) return {};
  return { id: /^"(.*)"$/.exec(key)?.[1] ?? key };
}

export const idempotencyKey: Parameter = {
  in: "header",
  name: "Idempotency-Key",
  description: "Names the command: the same key again is answered like the first time and does nothing.",
  schema: { type: "string" },
};
