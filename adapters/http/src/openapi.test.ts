import { describe, expect, it } from "vitest";
import { harness } from "../test/harness.ts";
import { githubWebhook } from "./github-webhook.ts";
import { type JsonSchema, misfitOf } from "./json-schema.ts";
import { components } from "./schemas.ts";

const ORDER = "order_flow/orderid::1";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: JsonSchema }>> }>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const webhooks = [
  githubWebhook({ path: "/webhooks/github", secret: "s", handle: async () => ({ outcome: "ignored" }) }),
];

async function documentOf(all = harness({ webhooks })) {
  const { body } = await all.call("GET", "/openapi.json");
  return { ...all, document: body, paths: body.paths as Paths };
}

const operations = (paths: Paths) => Object.values(paths).flatMap((methods) => Object.values(methods));

describe("the OpenAPI document", () => {
  it("has exactly the routes that Hono has", async () => {
    const { app, paths } = await documentOf();
    const served = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(served.sort());
    expect(described).toContain("POST /webhooks/github");
  });

  it("names each operation once and each parameter of its path", async () => {
    const { paths } = await documentOf();
    const names = operations(paths).map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const [path, methods] of Object.entries(paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters, responses, summary } of Object.values(methods)) {
        expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(inPath);
        expect(summary).toMatch(/\.$|\./);
        expect(responses).toHaveProperty("default");
      }
    }
  });

  it("leads nowhere that is not there", async () => {
    const { document } = await documentOf();
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(new Set(refs)).toEqual(new Set(Object.keys(components)));
  });

  it("is of version 3.1 and says where the routes are mounted", async () => {
    const { document } = await documentOf();
    expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/" }] });
  });
});

describe("the answers of the routes", () => {
  it("are what the document says", async () => {
    const { call, engine, until, paths } = await documentOf(harness());
    const covered = new Set<string>();
    const check = async (method: string, template: string, path: string, json?: unknown) => {
      const { status, body } = await call(method, path, json === undefined ? {} : { json });
      const answer = paths[template]?.[method.toLowerCase()]?.responses[status];
      expect(answer, `${method} ${path} answered ${status}: ${JSON.stringify(body)}`).toBeDefined();
      covered.add(`${method} ${template}`);
      const schema = answer?.content?.["application/json"]?.schema;
      if (schema) expect(misfitOf(schema, body, components), `${method} ${path}`).toBeUndefined();
      else if (!answer?.content) expect(body).toBe("");
    };
    const at = `/instances/${encodeURIComponent(ORDER)}`;
    const start = { key: "1", input: { items: 1, fail: true } };
    await check("POST", "/workflows/{name}/instances", "/workflows/order_flow/instances", start);
    await until(ORDER, "waiting");
    await check("POST", "/instances/{id}/schedule", `${at}/schedule`, {
      step: "approve",
      delay: { days: 1 },
      event: "refused",
    });
    await check("GET", "/instances/{id}", at);
    await check("POST", "/instances/{id}/pause", `${at}/pause`);
    await check("POST", "/instances/{id}/events", `${at}/events`, { event: "approved", payload: { by: "ada" } });
    await check("GET", "/instances/{id}", at);
    await check("POST", "/instances/{id}/unpause", `${at}/unpause`);
    await until(ORDER, "failed");
    await check("GET", "/instances/{id}", at);
    await check("GET", "/instances", "/instances?limit=1");
    await check("GET", "/instances/{id}/history", `${at}/history`);
    await check("GET", "/instances/{id}/changes", `${at}/changes`);
    await check("POST", "/instances/{id}/retry", `${at}/retry`);
    await until(ORDER, "failed");
    await check("POST", "/instances/{id}/restart", `${at}/restart`, { input: { items: 2 } });
    await until(ORDER, "waiting");
    await check("POST", "/instances/{id}/adopt", `${at}/adopt`);
    await check("POST", "/instances/{id}/events", `${at}/events`, { event: "approved", payload: { by: "ada" } });
    await until(ORDER, "completed");
    await check("GET", "/instances/{id}/result", `${at}/result`);
    await check("DELETE", "/instances/{id}", at);
    const { id } = await engine.start("order_flow", { items: 1 }, { key: "2" });
    await check("POST", "/instances/{id}/cancel", `/instances/${encodeURIComponent(id)}/cancel`);
    await check("GET", "/instances", "/instances?order=oldest");
    await check("GET", "/workflows", "/workflows");
    await check("GET", "/workflows/{name}", "/workflows/order_flow");
    await check("GET", "/workflows/{name}", "/workflows/note_flow?version=2");
    await check("GET", "/health", "/health");
    await check("GET", "/openapi.json", "/openapi.json");
    const all = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...covered].sort()).toEqual(all.sort());
  });
});
