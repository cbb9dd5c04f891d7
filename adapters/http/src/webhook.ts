import { COMMAND_ID_LENGTH_MAX, type Hephaestus, HephaestusError, type Json } from "@hephaestus/core";
import type { Context } from "hono";
import { readBytes } from "./body.ts";
import { HttpProblem } from "./problem.ts";
import { json, type Route } from "./route.ts";
import { ref } from "./schemas.ts";

/** A webhook's call, its signature checked. */
export interface Delivery {
  /** Names the delivery. Used as the id of the command that follows from it, it makes a repeated delivery count once. */
  readonly id: string;
  /** What happened, as the sender names it. */
  readonly name: string;
  readonly body: Json;
}

/** What a webhook's sender is told. */
export interface WebhookAnswer {
  /** What came of it, for example `started` or `ignored`. */
  readonly outcome: string;
  /** The instance concerned. */
  readonly id?: string;
  readonly detail?: string;
}

/**
 * What follows from a delivery. An error of the engine's is answered as on every route: what the sender should not
 * send again, for example an event that comes too late, must be caught here.
 */
export type HandleDelivery = (delivery: Delivery, engine: Hephaestus) => Promise<WebhookAnswer>;

/** Given itself, or found for each request: a Worker has its secrets only then. */
export type Secret<C = Context> = string | ((context: C) => string | Promise<string>);

export interface WebhookOptions<C = Context> {
  /** Under the place where the routes are mounted: `/webhooks/github`. */
  readonly path: string;
  readonly secret: Secret<C>;
  readonly handle: HandleDelivery;
  /** The largest body, in bytes; that of the other routes unless said otherwise. */
  readonly bodyLimit?: number;
}

/** A call, as it came. */
export interface ReceivedCall {
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly secret: string;
  /** The time, in milliseconds since the epoch. */
  readonly now: number;
}

/** A kind of webhook: how it is signed and what it is called. Made by `githubWebhook` and `standardWebhook`. */
// biome-ignore lint/suspicious/noExplicitAny: a secret's function reads the context of whatever app it is used in
export interface Webhook extends WebhookOptions<any> {
  readonly summary: string;
  /**
   * Checks the signature and reads the delivery.
   * @throws HttpProblem SIGNATURE_INVALID, DELIVERY_INVALID, CONTENT_TYPE_UNSUPPORTED, JSON_MALFORMED
   */
  readonly receive: (call: ReceivedCall) => Promise<Delivery>;
}

/** The id of a delivery, checked to be one of a command. */
export function deliveryId(headers: Headers, header: string): string {
  const id = headers.get(header) ?? "";
  if (id.length > 0 && id.length <= COMMAND_ID_LENGTH_MAX) return id;
  throw new HttpProblem("DELIVERY_INVALID", `${header}: 1 to ${COMMAND_ID_LENGTH_MAX} characters`);
}

/** One message whatever is wrong, so that a caller without the secret learns nothing. */
export function signatureInvalid(header: string): HttpProblem {
  return new HttpProblem("SIGNATURE_INVALID", `${header} is missing or does not fit the body`);
}

export function webhookRoute(webhook: Webhook): Route {
  const { path, summary } = webhook;
  return {
    method: "post",
    path,
    operation: `receive${path.replace(/[^A-Za-z0-9]+(.?)/g, (_, next: string) => next.toUpperCase())}`,
    summary,
    open: true,
    bodies: { "application/json": {} },
    answers: { 200: { description: "It was taken.", schema: ref("WebhookAnswer") } },
    async handle({ raw, context, clock, bodyLimit, engine }) {
      const secret = typeof webhook.secret === "string" ? webhook.secret : await webhook.secret(context);
      // Without this a forgotten setting would let anybody sign.
      if (typeof secret !== "string" || secret === "") throw new Error(`the secret of webhook ${path} is empty`);
      const bytes = await readBytes(raw, webhook.bodyLimit ?? bodyLimit);
      const delivery = await webhook.receive({ headers: raw.headers, bytes, secret, now: clock.now() });
      return json(await webhook.handle(delivery, await engine()));
    },
  };
}

/** @throws HephaestusError OPTION_INVALID */
export function checkWebhook({ path, secret }: Webhook): void {
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path) || /^\/(?:workflows|instances)(?:\/|$)/.test(path)) {
    const message = `webhook path ${JSON.stringify(path)}: one such as /webhooks/github, outside of the other routes`;
    throw new HephaestusError("OPTION_INVALID", message, { field: "webhooks" });
  }
  if (typeof secret !== "function" && (typeof secret !== "string" || secret === "")) {
    throw new HephaestusError("OPTION_INVALID", `webhook ${path} needs a secret`, { field: "webhooks" });
  }
}
