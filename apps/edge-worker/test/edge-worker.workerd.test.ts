import { env, exports } from "cloudflare:workers";
import type { HistoryEntry, InstanceSummary, InstanceView } from "@hephaestus/core";
import { migrate } from "@hephaestus/d1";
import { hephaestusEdge } from "@hephaestus/durable-objects";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import expected from "@hephaestus/example-workflows/changes-requested.history.json" with { type: "json" };
import { PULL, playChangesRequested } from "@hephaestus/example-workflows/scenario";
import { beforeAll, describe, expect, it, vi } from "vitest";

const secret = env.GITHUB_WEBHOOK_SECRET ?? "";
const origin = "http://localhost";
/** The engine as the worker makes it, for what is easier to say without HTTP. */
const engine = hephaestusEdge<Cloudflare.Env>({
  workflows: [pullRequestFlow],
  bindings: (bound) => ({ objects: bound.INSTANCES, queue: bound.STEPS }),
}).engine(env);

const call = (path: string, init?: RequestInit) => exports.default.fetch(new Request(origin + path, init));
const json = async <T>(path: string): Promise<T> => (await call(path)).json();

async function sign(body: string, key = secret): Promise<string> {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), hmac, false, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(body)));
  return `sha256=${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly body: unknown;
  readonly signature?: string;
}

async function deliver({ id, event, body, signature }: Delivery) {
  const text = JSON.stringify(body);
  const headers = {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": id,
    ...(signature === "none" ? {} : { "x-hub-signature-256": signature ?? (await sign(text)) }),
  };
  return call("/webhooks/github", { method: "POST", headers, body: text });
}

const pull = (number: number, action: string, extra = {}) => ({
  action,
  number,
  repository: { id: 77, full_name: "a/b" },
  pull_request: { number, title: "Make the tests run in workerd", user: { login: "ann" }, head: { sha: "1234" } },
  ...extra,
});
const idOf = (number: number) => `pull_request_flow/pull::77-${number}`;
const instance = (number: number) => `/instances/${encodeURIComponent(idOf(number))}`;
const reaches = (number: number, status: string) =>
  vi.waitFor(async () => expect((await json<InstanceView>(instance(number))).status).toBe(status), { timeout: 5_000 });

beforeAll(() => migrate(env.DB));

describe("the pull request flow at the edge", () => {
  it("ends with the history that every place has", async () => {
    expect(await playChangesRequested(engine, "1-2")).toEqual(expected);
  });

  it("goes from delivery to delivery, and D1 answers what waits", async () => {
    expect(await (await deliver({ id: "d1", event: "pull_request", body: pull(1, "opened") })).json()).toEqual({
      outcome: "started",
      id: idOf(1),
    });
    await reaches(1, "waiting");
    await vi.waitFor(async () => {
      const path = "/instances?workflow=pull_request_flow&status=waiting";
      const { items } = await json<{ items: InstanceSummary[] }>(path);
      expect(items.map((item) => [item.id, item.current, item.key])).toContainEqual([idOf(1), ["review"], "77-1"]);
    });
    // It is D1 that answered: the row is there.
    const row = await env.DB.prepare("SELECT status FROM hephaestus_instances WHERE id = ?").bind(idOf(1)).first();
    expect(row).toEqual({ status: "waiting" });
    const review = { state: "approved", body: null, user: { login: "grace" } };
    const approved = { id: "d2", event: "pull_request_review", body: pull(1, "submitted", { review }) };
    expect(await (await deliver(approved)).json()).toEqual({ outcome: "delivered", id: idOf(1) });
    await reaches(1, "completed");
    const { steps } = await json<InstanceView>(instance(1));
    expect(steps.approve?.result).toEqual({ approvedBy: "grace" });
  });

  it("counts a delivery once", async () => {
    const opened = { id: "e1", event: "pull_request", body: pull(2, "opened") };
    await deliver(opened);
    expect(await (await deliver(opened)).json()).toEqual({ outcome: "started", id: idOf(2) });
    await reaches(2, "waiting");
    const review = { state: "changes_requested", body: "tests?", user: { login: "grace" } };
    const requested = { id: "e2", event: "pull_request_review", body: pull(2, "submitted", { review }) };
    await Promise.all([deliver(requested), deliver(requested), deliver(requested)]);
    await vi.waitFor(async () => {
      expect((await json<InstanceView>(instance(2))).steps.second_review?.status).toBe("waiting");
    });
    const { items } = await json<{ items: { type: string }[] }>(`${instance(2)}/history`);
    expect(items.filter((entry) => entry.type === "event").length).toBe(1);
  });

  it("is cancelled when the pull request is closed", async () => {
    await deliver({ id: "f1", event: "pull_request", body: pull(3, "opened") });
    await reaches(3, "waiting");
    await deliver({ id: "f2", event: "pull_request", body: pull(3, "closed") });
    await reaches(3, "cancelled");
  });

  it("the checks come back from the queue's consumer in one report: one commit for the three of them", async () => {
    await deliver({ id: "g1", event: "pull_request", body: pull(4, "opened") });
    await reaches(4, "waiting");
    const { items } = await json<{ items: HistoryEntry[] }>(`${instance(4)}/history`);
    const checks = ["check_title", "label_size", "choose_reviewers"];
    const ended = items.filter((one) => one.type === "step" && one.status === "completed" && checks.includes(one.step));
    expect(ended.length).toBe(3);
    expect(new Set(ended.map((entry) => entry.revision)).size).toBe(1);
  });
});

describe("bad input", () => {
  it("an unsigned or wrongly signed delivery: 401, nothing stored", async () => {
    const body = pull(9, "opened");
    for (const signature of ["none", "sha256=00", await sign(JSON.stringify(body), "another secret"), "sha1=abc"]) {
      const response = await deliver({ id: "x1", event: "pull_request", body, signature });
      expect([response.status, response.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
    }
    expect((await call(instance(9))).status).toBe(404);
  });

  it("a body over the limit: 413", async () => {
    const body = { ...pull(9, "opened"), padding: "x".repeat(30_000_000) };
    const response = await deliver({ id: "x2", event: "pull_request", body });
    expect(response.status).toBe(413);
    const start = await call("/workflows/pull_request_flow/instances", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: "9-9", input: { title: "x".repeat(2_000_000) } }),
    });
    expect(start.status).toBe(413);
  });

  it("what is unknown: 404 or 422, as problem+json with a code", async () => {
    const post = (path: string, body: unknown) =>
      call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    await post("/workflows/pull_request_flow/instances", { key: "77-8", input: PULL });
    const answers = {
      "unknown workflow": await post("/workflows/nope/instances", { key: "1", input: {} }),
      "unknown instance": await call(instance(999)),
      "unknown instance's event": await post(`${instance(999)}/events`, { event: "approved" }),
      "unknown event": await post(`${instance(8)}/events`, { event: "nope" }),
      "bad key": await post("/workflows/pull_request_flow/instances", { key: "a/b", input: PULL }),
      "no key": await post("/workflows/pull_request_flow/instances", { input: PULL }),
      "bad filter": await call("/instances?status=nope"),
    };
    const found: Record<string, unknown> = {};
    for (const [what, response] of Object.entries(answers)) {
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      found[what] = [response.status, ((await response.json()) as { code: string }).code];
    }
    expect(found).toEqual({
      "unknown workflow": [404, "UNKNOWN_WORKFLOW"],
      "unknown instance": [404, "INSTANCE_NOT_FOUND"],
      "unknown instance's event": [404, "INSTANCE_NOT_FOUND"],
      "unknown event": [422, "EVENT_UNDECLARED"],
      "bad key": [422, "KEY_INVALID"],
      "no key": [422, "KEY_INVALID"],
      "bad filter": [422, "OPTION_INVALID"],
    });
  });

  it("a caller from elsewhere is not let in without a token", async () => {
    const response = await exports.default.fetch(new Request("https://example.com/instances"));
    expect(response.status).toBe(401);
  });
});
