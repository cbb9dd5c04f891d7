import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { harness, memoryEngine } from "../test/harness.ts";
import { anonymous, httpRoutes } from "./http-routes.ts";

const ORDER = "order_flow/orderid::1";
const AT = `/instances/${encodeURIComponent(ORDER)}`;

describe("authentication", () => {
  it("is required", () => {
    expect(() => httpRoutes({ engine: memoryEngine() } as never)).toThrow("authenticate is required");
  });

  it.each([
    ["false", () => false],
    ["a promise of false", async () => false],
    ["something that is merely truthy", () => "yes" as never],
    ["nothing", () => undefined as never],
  ])("keeps out on %s, from every route but /health", async (_what, authenticate) => {
    const { app, call } = harness({ authenticate });
    const routes = app.routes.filter((route) => route.method !== "ALL" && route.path !== "/health");
    expect(routes.length).toBeGreaterThan(15);
    for (const { method, path } of routes) {
      const answer = await call(method, path.replace(":id", "a").replace(":name", "order_flow"));
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "UNAUTHENTICATED"]);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect((await call("GET", "/health")).body).toEqual({ status: "ok" });
  });

  it("keeps out when it throws, and does not say why", async () => {
    const authenticate = () => {
      throw new Error("the key store at 10.0.0.1 is down");
    };
    const { call, errors } = harness({ authenticate });
    const { status, body } = await call("GET", "/workflows");
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("10.0.0.1");
    expect(errors).toHaveLength(1);
  });

  it("does not read the body of who is not let in", async () => {
    const { app } = harness({ authenticate: () => false });
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" };
    expect((await app.request(`${AT}/events`, init as RequestInit)).status).toBe(401);
    expect(pulled).toBe(0);
  });

  it("is given the request and the context", async () => {
    const { call } = harness({
      authenticate: (request, c) => request.headers.get("authorization") === `Bearer ${c.req.path}`,
    });
    expect((await call("GET", "/workflows", { headers: { authorization: "Bearer /workflows" } })).status).toBe(200);
    expect((await call("GET", "/workflows", { headers: { authorization: "Bearer x" } })).status).toBe(401);
  });
});

describe("the engine", () => {
  it("can be found for each request", async () => {
    const engine = memoryEngine();
    const app = httpRoutes<{ Bindings: { engine: typeof engine } }>({
      engine: async (c) => c.env.engine,
      authenticate: anonymous,
    });
    expect((await app.request("/workflows", {}, { engine })).status).toBe(200);
  });
});

describe("what is not there", () => {
  it.each(["/", "/nowhere", "/instances/a/b", "/instances/a/history/x", "/workflows/a/b", "/instances/"])(
    "answers %s with a 404 problem",
    async (path) => {
      const { status, headers, body } = await harness().call("GET", path);
      expect([status, body.code, headers.get("content-type")]).toEqual([404, "NOT_FOUND", "application/problem+json"]);
    },
  );

  it("answers a wrong method with 405 and the right ones, on every path", async () => {
    const { app, call } = harness();
    const allowed = new Map<string, string[]>();
    for (const { method, path } of app.routes) {
      if (method !== "ALL") allowed.set(path, [...(allowed.get(path) ?? []), method]);
    }
    for (const [path, methods] of allowed) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        if (methods.includes(method)) continue;
        const { status, headers, body } = await call(method, path.replace(/:\w+/g, "a"));
        expect([method, path, status, body.code]).toEqual([method, path, 405, "METHOD_NOT_ALLOWED"]);
        expect(
          headers
            .get("allow")
            ?.split(", ")
            .filter((one) => one !== "HEAD")
            .sort(),
        ).toEqual([...methods].sort());
      }
    }
  });

  it("answers HEAD like GET, without a body", async () => {
    const { app } = harness();
    const response = await app.request("/workflows", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

describe("mounted in another app", () => {
  const { app: routes, engine, until } = harness();
  const app = new Hono().route("/api/v1", routes).get("*", (c) => c.text("the page"));

  it("keeps its paths, its problems and its Location", async () => {
    const body = JSON.stringify({ key: "1", input: { items: 1 } });
    const headers = { "content-type": "application/json" };
    const response = await app.request("/api/v1/workflows/order_flow/instances", { method: "POST", headers, body });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(`/api/v1${AT}`);
    const got = await app.request(response.headers.get("location") as string);
    expect(await got.json()).toMatchObject({ id: ORDER });
    expect((await app.request("/api/v1/instances/a/b")).status).toBe(404);
    expect((await app.request("/api/v1/workflows", { method: "PUT" })).status).toBe(405);
    await until(ORDER, "waiting");
    await engine.cancel(ORDER);
    await until(ORDER, "cancelled");
    const restarted = await app.request(`/api/v1${AT}/restart`, { method: "POST" });
    expect(restarted.headers.get("location")).toBe(`/api/v1${AT}`);
  });

  it("leaves the rest to that app", async () => {
    expect(await (await app.request("/api/v1/other")).text()).toBe("the page");
  });
});

describe("ids", () => {
  it("hold slashes, colons and percent signs, encoded as one segment", async () => {
    const { call } = harness();
    for (const id of ["a/b", "a%2Fb", "a%b", "é/✓", "a?b#c", "__proto__", "a b", "a+b", "a;b=c"]) {
      const { status, body } = await call("GET", `/instances/${encodeURIComponent(id)}`);
      expect([status, body.id]).toEqual([404, id]);
    }
  });

  it("that are too long are refused", async () => {
    const { status, body } = await harness().call("GET", `/instances/${"a".repeat(401)}`);
    expect([status, body.code]).toEqual([422, "OPTION_INVALID"]);
  });

  it("that are not UTF-8 are not found", async () => {
    expect((await harness().call("GET", "/instances/%E0%A4%A")).status).toBe(404);
  });
});
