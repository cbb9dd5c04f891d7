import { describe, expect, it } from "vitest";
import { harness, manualClock } from "../test/harness.ts";
import { standardSignature } from "../test/sign.ts";
import { standardWebhook, WEBHOOK_TOLERANCE_MS } from "./standard-webhook.ts";
import type { Delivery } from "./webhook.ts";

/*
 * The example that the reference implementations of Standard Webhooks are tested with:
 * https://github.com/standard-webhooks/standard-webhooks
 */
const SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP = 1_614_265_330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

function standard(secret = `whsec_${SECRET}`, now = TIMESTAMP * 1_000) {
  const deliveries: Delivery[] = [];
  const handle = async (delivery: Delivery) => {
    deliveries.push(delivery);
    return { outcome: "taken" };
  };
  const webhooks = [standardWebhook({ path: "/hook", secret, handle })];
  const { call, errors } = harness({ webhooks, clock: manualClock(now), authenticate: () => false });
  const deliver = (headers: Readonly<Record<string, string | undefined>> = {}, text = BODY) => {
    const given = {
      "content-type": "application/json",
      "webhook-id": ID,
      "webhook-timestamp": String(TIMESTAMP),
      "webhook-signature": SIGNATURE,
      ...headers,
    };
    const sent = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return call("POST", "/hook", { text, headers: Object.fromEntries(sent) });
  };
  return { deliver, deliveries, errors };
}

describe("the Standard Webhooks signature", () => {
  it.each([`whsec_${SECRET}`, SECRET])("is the published one for the published example", async (secret) => {
    const { deliver, deliveries } = standard(secret);
    const { status, body } = await deliver();
    expect([status, body]).toEqual([200, { outcome: "taken" }]);
    expect(deliveries).toEqual([{ id: ID, name: "", body: { test: 2432232314 } }]);
  });

  it("may be one of several", async () => {
    const others = `v1,${btoa("another")} v1a,ed25519 v1,not_base64! v2,x`;
    expect((await standard().deliver({ "webhook-signature": `${others} ${SIGNATURE}` })).status).toBe(200);
    expect((await standard().deliver({ "webhook-signature": others })).status).toBe(401);
    const flood = Array.from({ length: 100 }, () => `v1,${btoa("x")}`).join(" ");
    expect((await standard().deliver({ "webhook-signature": `${flood} ${SIGNATURE}` })).status).toBe(401);
  });

  it.each([
    ["no signature", { "webhook-signature": undefined }],
    ["an empty one", { "webhook-signature": "" }],
    ["another version's", { "webhook-signature": SIGNATURE.replace("v1", "v2") }],
    ["one without its version", { "webhook-signature": SIGNATURE.slice(3) }],
    ["another id", { "webhook-id": "msg_other" }],
    ["another time", { "webhook-timestamp": String(TIMESTAMP + 1) }],
    ["no time", { "webhook-timestamp": undefined }],
    ["a time that is none", { "webhook-timestamp": "NaN" }],
    ["a fractional time", { "webhook-timestamp": `${TIMESTAMP}.0` }],
  ])("refuses %s", async (_what, headers) => {
    const { deliver, deliveries } = standard();
    const { status, body } = await deliver(headers);
    expect([status, body.code, deliveries]).toEqual([401, "SIGNATURE_INVALID", []]);
  });

  it("refuses another body", async () => {
    expect((await standard().deliver({}, BODY.replace("2", "3"))).status).toBe(401);
  });

  it("refuses what is too old, or from the future", async () => {
    const at = async (shift: number) => (await standard(SECRET, TIMESTAMP * 1_000 + shift).deliver()).status;
    expect(await at(WEBHOOK_TOLERANCE_MS)).toBe(200);
    expect(await at(-WEBHOOK_TOLERANCE_MS)).toBe(200);
    expect(await at(WEBHOOK_TOLERANCE_MS + 1)).toBe(401);
    expect(await at(-WEBHOOK_TOLERANCE_MS - 1)).toBe(401);
  });

  it("needs a secret in base64", async () => {
    const { deliver, errors } = standard("whsec_***");
    expect((await deliver()).status).toBe(500);
    expect(errors).toHaveLength(1);
  });
});

describe("a delivery by Standard Webhooks", () => {
  it("is named by its body's type", async () => {
    const text = JSON.stringify({ type: "payment.done", data: { id: 1 } });
    const signature = await standardSignature(SECRET, "m-1", TIMESTAMP, text);
    const { deliver, deliveries } = standard();
    expect((await deliver({ "webhook-id": "m-1", "webhook-signature": signature }, text)).status).toBe(200);
    expect(deliveries[0]).toMatchObject({ id: "m-1", name: "payment.done" });
  });

  it.each([
    ["no id", { "webhook-id": undefined }, 400],
    ["an id that is too long", { "webhook-id": "x".repeat(201) }, 400],
    ["another content type", { "content-type": "text/plain" }, 415],
  ])("with %s is refused", async (_what, headers, expected) => {
    expect((await standard().deliver(headers)).status).toBe(expected);
  });

  it.each(["1", "null", "[]", '"a"', '{"type":1}'])("may have the body %s", async (text) => {
    const signature = await standardSignature(SECRET, ID, TIMESTAMP, text);
    const { deliver, deliveries } = standard();
    expect((await deliver({ "webhook-signature": signature }, text)).status).toBe(200);
    expect(deliveries[0]).toMatchObject({ name: "", body: JSON.parse(text) });
  });
});
