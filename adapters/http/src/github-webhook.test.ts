import examples from "@octokit/webhooks-examples" with { type: "json" };
import { describe, expect, it } from "vitest";
import { harness } from "../test/harness.ts";
import { githubSignature } from "../test/sign.ts";
import { githubWebhook } from "./github-webhook.ts";
import type { Delivery } from "./webhook.ts";

const PATH = "/webhooks/github";
const SECRET = "It's a Secret to Everybody";

/** A webhook that starts an order for each issue that is opened. */
function github(secret: string | ((c: { env: { SECRET: string } }) => string | Promise<string>) = SECRET) {
  const deliveries: Delivery[] = [];
  const webhook = githubWebhook<{ env: { SECRET: string } }>({
    path: PATH,
    secret,
    async handle(delivery, engine) {
      deliveries.push(delivery);
      const { id, name, body } = delivery;
      const { issue } = body as { issue?: { number: number } };
      if (name !== "issues" || issue === undefined) return { outcome: "ignored", detail: name };
      const started = await engine.start("order_flow", { items: issue.number }, { key: `issue-${issue.number}`, id });
      return { outcome: "started", id: started.id };
    },
  });
  // Nobody else gets in: a webhook is let in by its signature alone.
  const all = harness({ webhooks: [webhook], authenticate: () => false });
  const deliver = async (body: string, headers: Readonly<Record<string, string | undefined>> = {}) => {
    const given = {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": "d-1",
      "x-hub-signature-256": await githubSignature(SECRET, body),
      ...headers,
    };
    const sent = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return all.call("POST", PATH, { text: body, headers: Object.fromEntries(sent) });
  };
  return { ...all, deliver, deliveries };
}

const issue = JSON.stringify({ action: "opened", issue: { number: 7 } });

describe("GitHub's signature", () => {
  it("is the documented one for the documented example", async () => {
    const { deliver, deliveries } = github();
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    // The example is no JSON: that this is what is told means that the signature was accepted.
    const { status, body } = await deliver("Hello, World!", { "x-hub-signature-256": signature });
    expect([status, body.code]).toEqual([400, "JSON_MALFORMED"]);
    const wrong = await deliver("Hello, World?", { "x-hub-signature-256": signature });
    expect([wrong.status, wrong.body.code]).toEqual([401, "SIGNATURE_INVALID"]);
    expect(deliveries).toEqual([]);
  });

  it.each([
    ["no signature", undefined],
    ["an empty one", ""],
    ["the old kind alone", "sha1=0000000000000000000000000000000000000000"],
    ["one without its kind", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"],
    ["one that is too short", "sha256=7571"],
    ["one that is not hexadecimal", `sha256=${"zz".repeat(32)}`],
    ["another one", `sha256=${"00".repeat(32)}`],
    ["two of them", `sha256=${"00".repeat(32)}, sha256=${"00".repeat(32)}`],
  ])("refuses %s, and nothing is stored", async (_what, signature) => {
    const { deliver, deliveries, engine, errors } = github();
    const { status, body, headers } = await deliver(issue, { "x-hub-signature-256": signature });
    expect([status, body.code, headers.get("content-type")]).toEqual([
      401,
      "SIGNATURE_INVALID",
      "application/problem+json",
    ]);
    expect([deliveries, (await engine.list()).items, errors]).toEqual([[], [], []]);
  });

  it("is over the bytes as they came", async () => {
    const { deliver } = github();
    const signature = await githubSignature(SECRET, issue);
    const respaced = issue.replace(":", ": ");
    expect(JSON.parse(respaced)).toEqual(JSON.parse(issue));
    expect((await deliver(respaced, { "x-hub-signature-256": signature })).status).toBe(401);
    expect((await deliver(respaced)).status).toBe(200);
  });

  it("by another secret is refused", async () => {
    const signature = await githubSignature("another", issue);
    expect((await github().deliver(issue, { "x-hub-signature-256": signature })).status).toBe(401);
  });

  it("is never accepted while the secret is empty", async () => {
    for (const secret of [() => "", () => undefined as unknown as string]) {
      const { deliver, deliveries } = github(secret);
      expect((await deliver(issue)).status).toBe(500);
      expect(deliveries).toEqual([]);
    }
    expect(() => github("")).toThrow("needs a secret");
  });

  it("may be checked with a secret of the environment", async () => {
    const { app } = github((c) => c.env.SECRET);
    const headers = {
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-github-delivery": "d-1",
      "x-hub-signature-256": await githubSignature("of the environment", issue),
    };
    const init = { method: "POST", headers, body: issue };
    expect((await app.request(PATH, init, { SECRET: "of the environment" })).status).toBe(200);
    expect((await app.request(PATH, init, { SECRET: "another" })).status).toBe(401);
  });
});

describe("a delivery", () => {
  it("counts once, however often it comes", async () => {
    const { deliver, engine } = github();
    const once = await deliver(issue);
    expect([once.status, once.body]).toEqual([200, { outcome: "started", id: "order_flow/orderid::issue-7" }]);
    const again = await deliver(issue);
    expect([again.status, again.body]).toEqual([200, once.body]);
    const other = await deliver(issue, { "x-github-delivery": "d-2" });
    expect([other.status, other.body.code]).toEqual([409, "ALREADY_RUNNING"]);
    expect((await engine.list()).items).toHaveLength(1);
  });

  it.each([
    ["no id", { "x-github-delivery": undefined }, 400, "DELIVERY_INVALID"],
    ["an id that is too long", { "x-github-delivery": "x".repeat(201) }, 400, "DELIVERY_INVALID"],
    ["no event", { "x-github-event": undefined }, 400, "DELIVERY_INVALID"],
    ["another content type", { "content-type": "text/plain" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
  ])("with %s is refused", async (_what, headers, expected, code) => {
    const { deliver, deliveries } = github();
    const { status, body } = await deliver(issue, headers);
    expect([status, body.code, deliveries]).toEqual([expected, code, []]);
  });

  it("may come as a form", async () => {
    const { deliver, deliveries } = github();
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await deliver(new URLSearchParams({ payload: issue }).toString(), form)).status).toBe(200);
    expect(deliveries[0]?.body).toEqual(JSON.parse(issue));
    expect((await deliver("payload=", form)).status).toBe(400);
    expect((await deliver("other=1", form)).status).toBe(400);
  });

  it("of every kind that GitHub sends is read", async () => {
    const { deliver, deliveries } = github();
    const all = examples.flatMap(({ name, examples: bodies }) => bodies.slice(0, 1).map((body) => ({ name, body })));
    expect(all.length).toBeGreaterThan(40);
    for (const [index, { name, body }] of all.entries()) {
      const { status } = await deliver(JSON.stringify(body), {
        "x-github-event": name,
        "x-github-delivery": `d-${index}`,
      });
      expect([name, status]).toEqual([name, 200]);
      expect(deliveries.at(-1)).toEqual({ id: `d-${index}`, name, body });
    }
  });

  it("whose handling goes wrong is 500, and does not say why", async () => {
    const handle = async () => {
      throw new Error("password is hunter2");
    };
    const { call, errors } = harness({ webhooks: [githubWebhook({ path: PATH, secret: SECRET, handle })] });
    const headers = {
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": "d-1",
      "x-hub-signature-256": await githubSignature(SECRET, issue),
    };
    const { status, body } = await call("POST", PATH, { text: issue, headers });
    expect([status, body.code, errors.length]).toEqual([500, "INTERNAL", 1]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });
});

describe("a webhook's path", () => {
  const at = (path: string) => githubWebhook({ path, secret: SECRET, handle: async () => ({ outcome: "ignored" }) });

  it.each(["", "/", "github", "/a/:id", "/a/*", "/instances/x", "/workflows", "/health"])("cannot be %j", (path) => {
    // GET /health is taken, POST /health would be free: it is the last one that is allowed.
    if (path === "/health") expect(() => harness({ webhooks: [at(path)] })).not.toThrow();
    else expect(() => harness({ webhooks: [at(path)] })).toThrow("webhook path");
  });

  it("cannot be another's", () => {
    expect(() => harness({ webhooks: [at("/a"), at("/a")] })).toThrow("two routes");
  });
});
