import type { Json } from "@hephaestus/core";
import { isJsonType, parseJson } from "./body.ts";
import { fromBase64, isHmacSha256, utf8 } from "./digest.ts";
import { HttpProblem } from "./problem.ts";
import { deliveryId, type ReceivedCall, signatureInvalid, type Webhook, type WebhookOptions } from "./webhook.ts";

const ID = "webhook-id";
const TIMESTAMP = "webhook-timestamp";
const SIGNATURE = "webhook-signature";

/** How old a call may be, or how far ahead the sender's clock, in milliseconds: an older one may be a replay. */
export const WEBHOOK_TOLERANCE_MS = 5 * 60_000;

/** How many signatures of one call are looked at: a sender that changes its secret sends two. */
const SIGNATURES_MAX = 16;

/**
 * A webhook by the Standard Webhooks specification, version 1 (https://www.standardwebhooks.com): the delivery's name
 * is the `type` of its body. Calls without a good signature, or too old, are answered with 401.
 * @param options `secret` is base64, with or without the prefix `whsec_`
 * @example
 * standardWebhook({ path: "/webhooks/payments", secret: "whsec_…", handle: onPayment });
 */
// biome-ignore lint/suspicious/noExplicitAny: the context of whatever app it is used in
export function standardWebhook<C = any>(options: WebhookOptions<C>): Webhook {
  return {
    ...options,
    summary: "Takes deliveries by the Standard Webhooks specification.",
    async receive(call) {
      const { headers, bytes } = call;
      const id = deliveryId(headers, ID);
      if (!(await isSigned(id, call))) throw signatureInvalid(SIGNATURE);
      const type = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
      if (!isJsonType(type)) throw new HttpProblem("CONTENT_TYPE_UNSUPPORTED", "the body must be application/json");
      const body = parseJson(bytes) as Json;
      return { id, name: nameOf(body), body };
    },
  };
}

async function isSigned(id: string, { headers, bytes, secret, now }: ReceivedCall): Promise<boolean> {
  const timestamp = headers.get(TIMESTAMP) ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > WEBHOOK_TOLERANCE_MS) return false;
  const key = fromBase64(secret.replace(/^whsec_/, ""));
  if (key === undefined || key.length === 0) throw new Error("the secret of a standard webhook must be base64");
  const head = utf8(`${id}.${timestamp}.`);
  const message = new Uint8Array(head.length + bytes.length);
  message.set(head);
  message.set(bytes, head.length);
  for (const one of (headers.get(SIGNATURE) ?? "").split(" ").slice(0, SIGNATURES_MAX)) {
    const signature = one.startsWith("v1,") ? fromBase64(one.slice(3)) : undefined;
    if (signature && (await isHmacSha256(key, signature, message))) return true;
  }
  return false;
}

function nameOf(body: Json): string {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return "";
  const { type } = body as { readonly type?: Json };
  return typeof type === "string" ? type : "";
}
