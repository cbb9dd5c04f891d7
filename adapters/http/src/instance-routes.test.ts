import { HephaestusError } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { harness, memoryEngine } from "../test/harness.ts";

const ORDER = "order_flow/orderid::1";
const AT = `/instances/${encodeURIComponent(ORDER)}`;
const START = "/workflows/order_flow/instances";
const start = { key: "1", input: { items: 2 } };
const withKey = (key: string) => ({ "idempotency-key": key });

/** An order that waits for its approval. */
async function waiting(input: object = start.input) {
  const all = harness();
  await all.engine.start("order_flow", input, { key: "1" });
  await all.until(ORDER, "waiting");
  return all;
}

describe("start", () => {
  it("answers 201 with the id, the run and a Location that leads to the instance", async () => {
    const { call } = harness();
    const { status, headers, body } = await call("POST", START, {
      json: { ...start, tags: ["vip"], metadata: { from: "shop" }, version: 1 },
    });
    expect([status, body]).toEqual([201, { id: ORDER, run: 1 }]);
    expect(headers.get("location")).toBe(AT);
    const { body: view } = await call("GET", headers.get("location") as string);
    expect(view).toMatchObject({
      id: ORDER,
      key: "1",
      input: { items: 2 },
      tags: ["orders", "vip"],
      metadata: { team: "shop", from: "shop" },
    });
  });

  it("answers the same idempotency key the same, without a second run", async () => {
    const { call, engine } = harness();
    const once = await call("POST", START, { json: start, headers: withKey("s-1") });
    const again = await call("POST", START, { json: start, headers: withKey("s-1") });
    const quoted = await call("POST", START, { json: start, headers: withKey('"s-1"') });
    expect([again.status, again.body]).toEqual([once.status, once.body]);
    expect(quoted.body).toEqual(once.body);
    expect((await engine.list()).items).toHaveLength(1);
  });

  it("answers the same idempotency key the same for a workflow without a business key", async () => {
    const { call, engine } = harness();
    const path = "/workflows/note_flow/instances";
    const json = { input: { text: "hello" } };
    const starts = [1, 2].map(() => call("POST", path, { json, headers: withKey("any text, of any length") }));
    const [one, other] = await Promise.all(starts);
    expect([one?.status, other?.body]).toEqual([201, one?.body]);
    expect((await call("POST", path, { json, headers: withKey("another") })).body.id).not.toBe(one?.body.id);
    expect((await call("POST", path, { json })).body.id).not.toBe((await call("POST", path, { json })).body.id);
    expect((await engine.list({ workflow: "note_flow" })).items).toHaveLength(4);
  });

  it("answers a key that runs with 409 and the instance", async () => {
    const { call } = await waiting();
    const { status, body } = await call("POST", START, { json: start });
    expect(status).toBe(409);
    expect(body).toEqual({
      type: "urn:hephaestus:problem:already-running",
      title: "Already running",
      status: 409,
      detail: expect.any(String),
      code: "ALREADY_RUNNING",
      id: ORDER,
      run: 1,
      details: { status: "waiting" },
    });
  });

  it("takes no body where nothing must be said", async () => {
    expect((await harness().call("POST", "/workflows/note_flow/instances")).status).toBe(201);
  });

  it.each([
    ["an unknown workflow", "/workflows/nope/instances", start, 404, "UNKNOWN_WORKFLOW"],
    ["a workflow of Object's", "/workflows/__proto__/instances", start, 404, "UNKNOWN_WORKFLOW"],
    ["an unknown version", START, { ...start, version: 7 }, 404, "UNKNOWN_WORKFLOW"],
    ["no key", START, { input: { items: 1 } }, 422, "KEY_INVALID"],
    ["a bad key", START, { ...start, key: "a/b" }, 422, "KEY_INVALID"],
    ["an empty key", START, { ...start, key: "" }, 422, "KEY_INVALID"],
    ["a number as key", START, { ...start, key: 1 }, 422, "OPTION_INVALID"],
    ["an input that does not fit", START, { key: "1", input: { items: "two" } }, 422, "INPUT_INVALID"],
    ["no input", START, { key: "1" }, 422, "INPUT_INVALID"],
    ["a fractional version", START, { ...start, version: 1.5 }, 422, "OPTION_INVALID"],
    ["a text as tags", START, { ...start, tags: "vip" }, 422, "OPTION_INVALID"],
    ["numbers as tags", START, { ...start, tags: [1] }, 422, "OPTION_INVALID"],
    [
      "too many tags",
      START,
      { ...start, tags: Array.from({ length: 33 }, (_, n) => `tag-${n}`) },
      422,
      "OPTION_INVALID",
    ],
    ["an array as metadata", START, { ...start, metadata: [] }, 422, "OPTION_INVALID"],
    ["a misspelt member", START, { ...start, tag: ["vip"] }, 422, "OPTION_INVALID"],
    ["an array as body", START, [start], 422, "OPTION_INVALID"],
    ["null as body", START, null, 422, "OPTION_INVALID"],
    ["a text as body", START, "start", 422, "OPTION_INVALID"],
  ])("refuses %s", async (_what, path, json, status, code) => {
    const { call, engine } = harness();
    const answer = await call("POST", path, { json });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await engine.list()).items).toEqual([]);
  });

  it.each([
    ["in the input", `{"key":"1","input":{"items":1,"__proto__":{"polluted":true}}}`, "NOT_JSON"],
    ["in the metadata", `{"key":"1","input":{"items":1},"metadata":{"__proto__":{"polluted":true}}}`, "NOT_JSON"],
    ["in the body", `{"key":"1","input":{"items":1},"__proto__":{"key":"2"}}`, "OPTION_INVALID"],
  ])("refuses __proto__ %s, and nothing is polluted", async (_what, text, code) => {
    const { call } = harness();
    const { status, body } = await call("POST", START, { text, headers: { "content-type": "application/json" } });
    expect([status, body.code]).toEqual([422, code]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each(["", "a".repeat(201)])("refuses an idempotency key of a wrong length", async (key) => {
    const { status, body } = await harness().call("POST", START, { json: start, headers: withKey(key) });
    expect([status, body.code, body.field]).toEqual([422, "OPTION_INVALID", "id"]);
  });
});

describe("events", () => {
  it("answers 200 delivered", async () => {
    const { call, until } = await waiting();
    const json = { event: "approved", payload: { by: "ada" } };
    const { status, body } = await call("POST", `${AT}/events`, { json });
    expect([status, body]).toEqual([200, { outcome: "delivered" }]);
    await until(ORDER, "completed");
    expect((await call("GET", `${AT}/result`)).body).toEqual({ result: { ship: { paid: 20 } } });
  });

  it("answers 202 queued, and counts an idempotency key once", async () => {
    const { call, engine } = await waiting();
    await engine.pause(ORDER);
    const sent = { json: { event: "approved", payload: { by: "ada" } }, headers: withKey("e-1") };
    const once = await call("POST", `${AT}/events`, sent);
    const again = await call("POST", `${AT}/events`, sent);
    expect([once.status, once.body]).toEqual([202, { outcome: "queued" }]);
    expect([again.status, again.body]).toEqual([202, { outcome: "queued" }]);
    expect((await engine.get(ORDER)).inbox).toHaveLength(1);
  });

  it("goes to the step that is named", async () => {
    const { call } = await waiting();
    const json = { event: "approved", payload: { by: "ada" }, step: "escalate" };
    expect((await call("POST", `${AT}/events`, { json })).body).toEqual({ outcome: "queued" });
  });

  it("tells when the idempotency key was another command's", async () => {
    const { call, engine } = harness();
    await engine.start("order_flow", start.input, { key: "1", id: "k" });
    const { status, body } = await call("POST", `${AT}/events`, { json: { event: "refused" }, headers: withKey("k") });
    expect([status, body.code, body.field]).toEqual([422, "OPTION_INVALID", "id"]);
  });

  it.each([
    ["an unknown event", { event: "shouted" }, 422, "EVENT_UNDECLARED"],
    ["an event of Object's", { event: "__proto__" }, 422, "EVENT_UNDECLARED"],
    ["an unknown step", { event: "approved", payload: { by: "a" }, step: "x" }, 404, "UNKNOWN_STEP"],
    ["a step that does not take it", { event: "refused", step: "escalate" }, 422, "EVENT_UNDECLARED"],
    ["a payload that does not fit", { event: "approved", payload: { by: 1 } }, 422, "PAYLOAD_INVALID"],
    ["no payload", { event: "approved" }, 422, "PAYLOAD_INVALID"],
    ["a number as event", { event: 1 }, 422, "OPTION_INVALID"],
    ["no event", { payload: 1 }, 422, "OPTION_INVALID"],
    ["an object as step", { event: "refused", step: {} }, 422, "OPTION_INVALID"],
    ["an array", [], 422, "OPTION_INVALID"],
    ["a payload that nests too deep", { event: "refused", payload: nest(201) }, 422, "NOT_JSON"],
    ["a payload that is too long", { event: "refused", payload: "x".repeat(900_001) }, 413, "LIMIT_EXCEEDED"],
  ])("refuses %s", async (_what, json, status, code) => {
    const { call } = await waiting();
    const answer = await call("POST", `${AT}/events`, { json });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("refuses what comes too late", async () => {
    const { call, engine, until } = await waiting();
    await engine.resume(ORDER, "refused");
    const late = await call("POST", `${AT}/events`, { json: { event: "refused" } });
    expect([late.status, late.body.code]).toEqual([409, "EVENT_NOT_EXPECTED"]);
    await engine.resume(ORDER, "approved", { by: "ada" });
    await until(ORDER, "completed");
    const { status, body } = await call("POST", `${AT}/events`, { json: { event: "refused" } });
    expect([status, body.code, body.details]).toEqual([409, "STATUS_REFUSES", { status: "completed" }]);
  });
});

describe("control", () => {
  it("pauses, unpauses, cancels, restarts and deletes", async () => {
    const { call, until } = await waiting();
    const status = async () => (await call("GET", AT)).body.status;
    expect((await call("POST", `${AT}/pause`)).status).toBe(204);
    expect(await status()).toBe("paused");
    expect((await call("POST", `${AT}/unpause`)).status).toBe(204);
    expect(await status()).toBe("waiting");
    expect((await call("POST", `${AT}/cancel`, { headers: withKey("c-1") })).status).toBe(204);
    await until(ORDER, "cancelled");
    expect((await call("POST", `${AT}/cancel`, { headers: withKey("c-1") })).status).toBe(204);
    const restarted = await call("POST", `${AT}/restart`, { json: { input: { items: 5 } } });
    expect([restarted.status, restarted.body]).toEqual([201, { id: ORDER, run: 2 }]);
    expect((await call("GET", AT)).body.input).toEqual({ items: 5 });
    await until(ORDER, "waiting");
    expect((await call("DELETE", AT)).body).toMatchObject({ code: "STATUS_REFUSES" });
    await call("POST", `${AT}/cancel`);
    await until(ORDER, "cancelled");
    expect((await call("DELETE", AT)).status).toBe(204);
    expect((await call("GET", AT)).status).toBe(404);
  });

  it("retries what failed", async () => {
    const { call, engine, until } = await waiting({ items: 1, fail: true });
    await engine.resume(ORDER, "approved", { by: "ada" });
    await until(ORDER, "failed");
    const failed = await call("GET", `${AT}/result`);
    expect([failed.status, failed.body.code, failed.body.step]).toEqual([409, "RUN_FAILED", "ship"]);
    expect(failed.body.cause).toMatchObject({ message: "the truck broke down" });
    expect(JSON.stringify(failed.body)).not.toContain("flows.ts");
    expect((await call("POST", `${AT}/retry`)).status).toBe(204);
  });

  it("sets a step's timer", async () => {
    const { call } = await waiting();
    const json = { step: "approve", delay: { hours: 1 }, event: "refused" };
    expect((await call("POST", `${AT}/schedule`, { json })).status).toBe(204);
    expect((await call("GET", AT)).body.steps.approve.wakeAt).toBeGreaterThan(0);
    const unknown = await call("POST", `${AT}/schedule`, { json: { ...json, step: "x" } });
    expect([unknown.status, unknown.body.code]).toEqual([404, "UNKNOWN_STEP"]);
    for (const delay of [5, "1h", { weeks: 1 }, { hours: "1" }, { hours: -1 }, {}, [], null]) {
      const { status, body } = await call("POST", `${AT}/schedule`, { json: { ...json, delay } });
      expect([delay, status, body.code]).toEqual([delay, 422, "OPTION_INVALID"]);
    }
  });

  it.each(["cancel", "pause", "unpause", "retry", "adopt", "restart", "events"])(
    "answers %s of nothing with 404",
    async (name) => {
      const json = name === "events" ? { event: "a" } : undefined;
      const { status, body } = await harness().call("POST", `/instances/nope/${name}`, { json });
      expect([status, body.code]).toEqual([404, "INSTANCE_NOT_FOUND"]);
    },
  );

  it.each(["", "/history", "/result", "/changes"])("answers GET %s of nothing with 404", async (part) => {
    const { status, body } = await harness().call("GET", `/instances/nope${part}`);
    expect([status, body.code, body.id]).toEqual([404, "INSTANCE_NOT_FOUND", "nope"]);
  });

  it.each(["unpause", "retry", "restart"])("refuses %s by status", async (name) => {
    const { call } = await waiting();
    const { status, body } = await call("POST", `${AT}/${name}`);
    expect([status, body.code, body.details]).toEqual([409, "STATUS_REFUSES", { status: "waiting" }]);
  });

  it("has no result before the end", async () => {
    const { call } = await waiting();
    const { status, body } = await call("GET", `${AT}/result`);
    expect([status, body.code, body.details]).toEqual([409, "STATUS_REFUSES", { status: "waiting" }]);
  });
});

describe("history and list", () => {
  it("tells the history", async () => {
    const { call } = await waiting();
    const { status, body } = await call("GET", `${AT}/history`);
    expect(status).toBe(200);
    expect(body.items[0]).toMatchObject({ type: "started", run: 1, input: { items: 2 } });
  });

  it("lists by every filter, and in pages", async () => {
    const { call, engine } = harness();
    for (const key of ["a", "b", "c"]) {
      const { id } = await engine.start("order_flow", { items: key === "a" ? 1 : 2 }, { key, tags: [`tag-${key}`] });
      if (key === "b") await engine.cancel(id);
    }
    await engine.start("note_flow", { text: "x" });
    const keys = async (query: string) => {
      const { status, body } = await call("GET", `/instances?${query}`);
      expect([query, status]).toEqual([query, 200]);
      return body.items.map((item: { key?: string }) => item.key).sort();
    };
    expect(await keys("workflow=order_flow")).toEqual(["a", "b", "c"]);
    expect(await keys("tag=tag-b")).toEqual(["b"]);
    expect(await keys("key=c")).toEqual(["c"]);
    expect(await keys("workflow=note_flow&version=2")).toEqual([undefined]);
    expect(await keys(`where.input.items=2`)).toEqual(["b", "c"]);
    expect(await keys(`where.input.items=${encodeURIComponent('{"lt":2}')}`)).toEqual(["a"]);
    expect(await keys("where.metadata.team=%22shop%22&key=a")).toEqual(["a"]);
    expect(await keys("status=cancelled,compensating")).toEqual(["b"]);
    expect(await keys("status=cancelled&status=compensating")).toEqual(["b"]);
    expect(await keys("createdAfter=2000-01-01&createdBefore=2100-01-01T00:00:00Z&workflow=order_flow")).toHaveLength(
      3,
    );
    expect(await keys("createdAfter=4102444800000")).toEqual([]);
    const first = (await call("GET", "/instances?workflow=order_flow&order=oldest&limit=2")).body;
    const second = (
      await call("GET", `/instances?workflow=order_flow&order=oldest&limit=2&cursor=${encodeURIComponent(first.next)}`)
    ).body;
    expect([...first.items, ...second.items].map((item) => item.key)).toEqual(["a", "b", "c"]);
    expect(second.next).toBeUndefined();
  });

  it.each([
    "limit=NaN",
    "limit=",
    "limit=0",
    "limit=-1",
    "limit=501",
    "limit=1e2",
    "limit=1.5",
    "limit=99999999999999999999",
    "limit=1&limit=2",
    "workflow=a&workflow=b",
    "status=running&status=sleeping",
    "status=",
    "order=sideways",
    "cursor=abc",
    "stauts=failed",
    "__proto__=1",
    "constructor=1",
    "where.input.a=1&where.input.a=2",
    "where.input.a=abc",
    "where.input=1",
    "where.=1",
    "where.__proto__.a=1",
    "where.input.a%20b=1",
    "where.input.a=[1]",
    "where.input.a=%7B%22like%22%3A1%7D",
    "createdAfter=yesterday",
    "createdAfter=2026-13-45",
    "createdAfter=2026-01-01T00:00",
    "createdAfter=Infinity",
  ])("refuses the filter %s", async (query) => {
    const { status, body } = await harness().call("GET", `/instances?${query}`);
    expect([status, body.code]).toEqual([422, "OPTION_INVALID"]);
    expect(body.field).toEqual(expect.any(String));
  });
});

describe("the engine's own trouble", () => {
  it.each([
    ["STORAGE_UNAVAILABLE", 503],
    ["STORAGE_FULL", 503],
    ["STORAGE_CORRUPT", 503],
    ["CLOSED", 503],
    ["NOT_SUPPORTED", 501],
    ["PARKED", 409],
    ["STEP_FAILED", 500],
  ] as const)("answers %s with %i", async (code, expected) => {
    const engine = { ...memoryEngine(), get: () => Promise.reject(new HephaestusError(code, "at /var/db/secret")) };
    const { call, errors } = harness({}, engine);
    const { status, body, headers } = await call("GET", AT);
    expect([status, body.code]).toEqual([expected, expected === 500 ? "INTERNAL" : code]);
    expect(JSON.stringify(body).includes("secret")).toBe(expected !== 500 && expected !== 503);
    expect(errors).toHaveLength(expected === 500 || expected === 503 ? 1 : 0);
    expect(headers.get("retry-after")).toBe(expected === 503 ? "1" : null);
  });

  it("is closed when the engine is", async () => {
    const { call, engine } = harness();
    await engine.close();
    expect((await call("POST", START, { json: start })).status).toBe(503);
  });
});

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}
