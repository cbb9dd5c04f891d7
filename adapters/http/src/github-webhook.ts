import type { Json } from "@hephaestus/core";
import { isJsonType, parseJson } from "./body.ts";
import { fromHex, isHmacSha256, utf8 } from "./digest.ts";
import { HttpProblem } from "./problem.ts";
import { deliveryId, signatureInvalid, type Webhook, type WebhookOptions } from "./webhook.ts";

const SIGNATURE = "X-Hub-Signature-256";
const DELIVERY = "X-GitHub-Delivery";
const EVENT = "X-GitHub-Event";
const FORM = "application/x-www-form-urlencoded";

/**
 * A webhook of GitHub's: the delivery's name is the event (`pull_request`), its body the payload, in either of the
 * content types that GitHub offers. Calls without a good `X-Hub-Signature-256` are answered with 401.
 * @example
 * githubWebhook({
 *   path: "/webhooks/github",
 *   secret: (c) => c.env.GITHUB_WEBHOOK_SECRET,
 *   async handle({ id, name, body }, engine) {
 *     if (name !== "pull_request") return { outcome: "ignored" };
 *     const { id: instance } = await engine.start("pull_request_flow", inputOf(body), { key: keyOf(body), id });
 *     return { outcome: "started", id: instance };
 *   },
 * });
 */
// biome-ignore lint/suspicious/noExplicitAny: the context of whatever app it is used in
export function githubWebhook<C = any>(options: WebhookOptions<C>): Webhook {
  return {
    ...options,
    summary: "Takes deliveries of GitHub's.",
    async receive({ headers, bytes, secret }) {
      const signature = fromHex(/^sha256=([0-9a-f]{64})$/i.exec(headers.get(SIGNATURE) ?? "")?.[1] ?? "");
      if (signature === undefined || !(await isHmacSha256(utf8(secret), signature, bytes))) {
        throw signatureInvalid(SIGNATURE);
      }
      const id = deliveryId(headers, DELIVERY);
      const name = headers.get(EVENT) ?? "";
      if (name === "") throw new HttpProblem("DELIVERY_INVALID", `${EVENT} is missing`);
      return { id, name, body: readPayload(headers, bytes) as Json };
    },
  };
}

function readPayload(headers: Headers, bytes: Uint8Array): unknown {
  const type = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (isJsonType(type)) return parseJson(bytes);
  if (type !== FORM) throw new HttpProblem("CONTENT_TYPE_UNSUPPORTED", `the body must be application/json or ${FORM}`);
  const payload = new URLSearchParams(new TextDecoder().decode(bytes)).get("payload");
  if (payload === null) throw new HttpProblem("JSON_MALFORMED", "the form has no field payload");
  return parseJson(utf8(payload));
}
