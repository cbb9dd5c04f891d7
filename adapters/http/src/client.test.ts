import {
  createHephaestus,
  defineVersions,
  type Hephaestus,
  HephaestusError,
  type InstanceChange,
} from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { noteFlow, orderFlow } from "../test/flows.ts";
import { harness, manualClock, memoryEngine, until } from "../test/harness.ts";
import { type ClientOptions, createClient, HttpError } from "./client.ts";
import type { HttpOptions } from "./http-routes.ts";
import type { Fetch } from "./transport.ts";

const ORDER = "order_flow/orderid::1";

function connected(options: Partial<ClientOptions> = {}, http: Partial<HttpOptions> = {}, engine?: Hephaestus) {
  const all = harness(http, engine);
  const client = createClient({ baseUrl: "", fetch: (url, init) => all.app.request(url, init), ...options });
  return { ...all, client, orders: client.for(orderFlow), local: all.engine.for(orderFlow) };
}

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("the client", () => {
  it("starts, resumes and gives the result, like the local engine", async () => {
    const { orders, local, until } = connected();
    const order = await orders.start("1", { items: 3 }, { tags: ["vip"], metadata: { from: "web" } });
    expect([order.id, order.run]).toEqual([ORDER, 1]);
    await until(ORDER, "waiting");
    expect(await orders.get("1")).toEqual(await local.get("1"));
    expect(await order.get()).toEqual(await local.get("1"));
    expect(await orders.history("1")).toEqual(await local.history("1"));
    expect(await orders.list({ tag: "vip", limit: 1 })).toEqual(await local.list({ tag: "vip", limit: 1 }));
    expect(orders.idOf("1")).toBe(local.idOf("1"));
    const results = [order.result(), orders.result("1")];
    expect(await orders.resume("1", "approved", { by: "ada" }, { id: "r-1" })).toBe("delivered");
    expect(await orders.resume("1", "approved", { by: "ada" }, { id: "r-1" })).toBe("delivered");
    expect(await Promise.all(results)).toEqual([{ ship: { paid: 30 } }, { ship: { paid: 30 } }]);
    expect(await local.result("1")).toEqual({ ship: { paid: 30 } });
  });

  it("does everything that can be done with an instance", async () => {
    const { client, orders, until } = connected();
    const order = await orders.start("1", { items: 1 }, { id: "s-1" });
    expect((await orders.start("1", { items: 1 }, { id: "s-1" })).run).toBe(1);
    await until(ORDER, "waiting");
    await order.pause();
    expect((await order.get()).status).toBe("paused");
    expect(await orders.resume("1", "approved", { by: "ada" }, { step: "escalate" })).toBe("queued");
    await orders.unpause("1");
    await order.scheduleResume("approve", { days: 1 }, { event: "refused" });
    expect((await order.get()).steps.approve?.wakeAt).toBeGreaterThan(0);
    await order.adopt();
    await client.cancel(ORDER, { id: "c-1" });
    await client.cancel(ORDER, { id: "c-1" });
    await until(ORDER, "cancelled");
    const again = await orders.restart("1", { input: { items: 2, fail: true } });
    expect(again.run).toBe(2);
    await until(ORDER, "waiting");
    await again.resume("approved", { by: "ada" });
    await until(ORDER, "failed");
    await again.retry();
    await until(ORDER, "failed");
    await orders.delete("1");
    expect(await rejection(orders.get("1"))).toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });

  it("starts workflows without a business key, and by name", async () => {
    const { client } = connected();
    const note = await client.for(noteFlow).start({ text: "hello" });
    expect(await note.result()).toEqual({ write: 5 });
    const other = await client.start("note_flow", { text: "hi" }, { version: 2, id: "any id" });
    expect((await client.start("note_flow", { text: "hi" }, { id: "any id" })).id).toBe(other.id);
    expect(await client.result(other.id)).toEqual({ write: 2 });
    expect((await client.for(noteFlow).get(note.id)).id).toBe(note.id);
  });

  it("leaves the choice among versions to the server", async () => {
    const versions = defineVersions({ name: "note_flow", versions: { 2: noteFlow }, current: 2, versionFor: () => 2 });
    const { client } = connected({}, {}, createHephaestus({ workflows: [orderFlow, versions] }));
    const note = await client.for(versions).start({ text: "hello" });
    expect((await note.get()).version).toBe(2);
  });

  it("shows the workflows", async () => {
    const { client } = connected();
    expect((await client.workflows()).map(({ name }) => name)).toEqual(["order_flow", "note_flow"]);
    expect((await client.workflow("note_flow", 2)).starts).toEqual(["write"]);
    expect(await rejection(client.workflow("nope"))).toMatchObject({ code: "UNKNOWN_WORKFLOW" });
  });

  it("lists by any filter", async () => {
    const { client, orders } = connected();
    await orders.start("1", { items: 1 });
    await orders.start("2", { items: 2 });
    const where = { "input.items": { gte: 2 }, "metadata.team": "shop" };
    const filter = { where, status: ["running", "waiting", "pending"], order: "oldest", createdAfter: 0 } as const;
    expect((await client.list(filter)).items.map(({ key }) => key)).toEqual(["2"]);
    expect((await client.list()).items).toHaveLength(2);
  });
});

describe("errors", () => {
  it.each([
    ["a start of what runs", (it: Hephaestus) => it.for(orderFlow).start("1", { items: 1 })],
    ["an input that does not fit", (it: Hephaestus) => it.for(orderFlow).start("2", {} as never)],
    ["a bad key", (it: Hephaestus) => it.for(orderFlow).start("a b", { items: 1 })],
    ["an unknown workflow", (it: Hephaestus) => it.start("nope", 1)],
    ["no instance", (it: Hephaestus) => it.get("nope")],
    ["the result of no instance", (it: Hephaestus) => it.result("nope")],
    ["a late retry", (it: Hephaestus) => it.retry(ORDER)],
    ["an unknown event", (it: Hephaestus) => it.resume(ORDER, "nope")],
    ["an unknown step", (it: Hephaestus) => it.resume(ORDER, "refused", null, { step: "nope" })],
    ["a bad payload", (it: Hephaestus) => it.resume(ORDER, "approved", { by: 1 })],
    ["a payload that is no JSON", (it: Hephaestus) => it.resume(ORDER, "approved", { by: new Date(0) })],
    ["an input that is no JSON", (it: Hephaestus) => it.for(noteFlow).start({ text: 1n as never })],
    ["a bad filter", (it: Hephaestus) => it.list({ limit: 0 })],
    ["a bad duration", (it: Hephaestus) => it.scheduleResume(ORDER, "approve", { hours: -1 }, { event: "refused" })],
    ["an empty id of a command", (it: Hephaestus) => it.pause(ORDER, { id: "" })],
  ])("of %s are the same as the local engine's", async (_what, act) => {
    const { client, engine, until } = connected();
    await engine.start("order_flow", { items: 1 }, { key: "1" });
    await until(ORDER, "waiting");
    const local = (await rejection(act(engine))) as HephaestusError;
    const remote = (await rejection(act(client as unknown as Hephaestus))) as HephaestusError;
    expect(local).toBeInstanceOf(HephaestusError);
    expect(remote).toBeInstanceOf(HephaestusError);
    expect({ code: remote.code, details: remote.details, message: remote.message }).toEqual({
      code: local.code,
      details: local.details,
      message: local.message,
    });
  });

  it("of a run are what its result is rejected with", async () => {
    const { orders, local, until } = connected();
    await orders.start("1", { items: 1, fail: true });
    const result = rejection(orders.result("1"));
    await until(ORDER, "waiting");
    await orders.resume("1", "approved", { by: "ada" });
    const remote = (await result) as HephaestusError;
    const own = (await rejection(local.result("1"))) as HephaestusError;
    expect([remote.code, remote.details.step, remote.message]).toEqual(["RUN_FAILED", "ship", own.message]);
    expect((remote.cause as Error).message).toBe((own.cause as Error).message);
    await orders.restart("1");
    await orders.cancel("1");
    expect(await rejection(orders.result("1"))).toMatchObject({ code: "CANCELLED" });
  });

  it("that are not the engine's are an HttpError", async () => {
    const refused = connected({}, { authenticate: () => false });
    expect(await rejection(refused.client.list())).toMatchObject({
      name: "HttpError",
      status: 401,
      code: "UNAUTHENTICATED",
    });
    const page = createClient({ baseUrl: "", fetch: () => new Response("<h1>Bad gateway</h1>", { status: 502 }) });
    const error = await rejection(page.list());
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ status: 502, code: undefined });
    const odd = createClient({
      baseUrl: "",
      fetch: () => Response.json({ code: "__proto__", detail: 1 }, { status: 400 }),
    });
    expect(await rejection(odd.list())).toMatchObject({ name: "HttpError", status: 400 });
  });

  it("of the network are the network's", async () => {
    const client = createClient({ baseUrl: "", fetch: () => Promise.reject(new TypeError("fetch failed")) });
    expect(await rejection(client.list())).toMatchObject({ name: "TypeError", message: "fetch failed" });
  });

  it("are thrown for ids that cannot go over HTTP", async () => {
    const { client } = connected();
    for (const id of ["", ".", ".."]) expect(await rejection(client.get(id))).toMatchObject({ code: "OPTION_INVALID" });
    expect(await rejection(client.pause("a", { id: "é" }))).toMatchObject({ code: "OPTION_INVALID" });
    expect(await rejection(client.start("..", 1))).toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("requests", () => {
  it("go to where the routes are, with the caller's headers", async () => {
    const urls: string[] = [];
    const fetch: Fetch = (url, init) => {
      urls.push(`${init.method} ${url} ${new Headers(init.headers).get("authorization")}`);
      return Response.json({ items: [] });
    };
    await createClient({ baseUrl: "https://a.example/api/", fetch, headers: { authorization: "x" } }).list();
    let count = 0;
    const client = createClient({
      baseUrl: "/api",
      fetch,
      headers: async () => ({ authorization: `token ${++count}` }),
    });
    await client.list({ key: "1" });
    await client.history("a/b");
    expect(urls).toEqual([
      "GET https://a.example/api/instances x",
      "GET /api/instances?key=1 token 1",
      "GET /api/instances/a%2Fb/history token 2",
    ]);
  });

  it("keep the id of a command as it is", async () => {
    const { client, engine, until } = connected();
    await engine.start("order_flow", { items: 1 }, { key: "1" });
    await until(ORDER, "waiting");
    const id = ` "quoted" and spaced `;
    await client.pause(ORDER, { id });
    expect(await engine.history(ORDER)).toContainEqual(expect.objectContaining({ type: "command", id }));
  });
});

describe("subscriptions", () => {
  it("tell where the instance stands, then every change, until the run ends", async () => {
    const { orders, client, local, until } = connected();
    await orders.start("1", { items: 1 });
    await until(ORDER, "waiting");
    const changes: InstanceChange[] = [];
    await new Promise<void>((resolve) => {
      orders.subscribe("1", (change) => {
        changes.push(change);
        if (changes.length === 1) void local.resume("1", "approved", { by: "ada" });
        if (change.status === "completed") resolve();
      });
    });
    expect(changes[0]).toMatchObject({ id: ORDER, status: "waiting", steps: { approve: "waiting" } });
    expect(changes.map(({ revision }) => revision)).toEqual([...new Set(changes.map(({ revision }) => revision))]);
    await client.close();
  });

  it("stop when they are told to", async () => {
    const { orders, local, until } = connected();
    await orders.start("1", { items: 1 });
    await until(ORDER, "waiting");
    let told = 0;
    await new Promise<void>((resolve) => {
      const stop = orders.subscribe("1", () => {
        told++;
        stop();
        resolve();
      });
    });
    await local.cancel("1");
    await until(ORDER, "cancelled");
    expect(told).toBe(1);
  });

  it("outlive a stream that breaks, and miss nothing", async () => {
    const engine = memoryEngine();
    const { app } = harness({}, engine);
    const clock = manualClock();
    await engine.start("order_flow", { items: 1 }, { key: "1" });
    await until(engine, ORDER, "waiting");
    const asked: (string | null)[] = [];
    // Each stream breaks after its first event; the second time nobody answers at all.
    const fetch: Fetch = async (url, init) => {
      asked.push(new Headers(init.headers).get("last-event-id"));
      if (asked.length === 2) throw new TypeError("fetch failed");
      const response = await app.request(url, init);
      return asked.length > 3
        ? response
        : new Response(brokenAfter(response.body as ReadableStream<Uint8Array>, "event:"));
    };
    const client = createClient({ baseUrl: "", fetch, clock });
    const statuses: string[] = [];
    const ended = new Promise<void>((resolve) => {
      client.subscribe(ORDER, ({ status }) => {
        statuses.push(status);
        if (status === "completed") resolve();
      });
    });
    const ticking = setInterval(() => clock.advance(10_000), 1);
    await expect.poll(() => statuses.length).toBe(1);
    await engine.resume(ORDER, "refused");
    await expect.poll(() => statuses.length).toBe(2);
    await engine.resume(ORDER, "approved", { by: "ada" });
    await ended;
    clearInterval(ticking);
    expect(statuses.slice(0, 2)).toEqual(["waiting", "waiting"]);
    expect(asked[0]).toBeNull();
    expect(new Set(asked.slice(1).map(Number)).size).toBeGreaterThan(1);
  });

  it("tell onError when they cannot go on", async () => {
    const errors: unknown[] = [];
    const { client } = connected({ onError: (error, id) => errors.push([(error as HephaestusError).code, id]) });
    client.subscribe("nope", () => {});
    await expect.poll(() => errors).toEqual([["INSTANCE_NOT_FOUND", "nope"]]);
  });

  it("give up when nobody answers for long", async () => {
    const clock = manualClock();
    const client = createClient({ baseUrl: "", clock, fetch: () => Promise.reject(new TypeError("fetch failed")) });
    const ticking = setInterval(() => clock.advance(10_000), 1);
    expect(await rejection(client.result("a"))).toMatchObject({ message: "fetch failed" });
    clearInterval(ticking);
  });

  it("end with the client", async () => {
    const { client, orders, until } = connected();
    await orders.start("1", { items: 1 });
    await until(ORDER, "waiting");
    const result = rejection(orders.result("1"));
    await client.close();
    expect(await result).toMatchObject({ code: "CLOSED" });
    expect(await rejection(orders.result("1"))).toMatchObject({ code: "CLOSED" });
  });
});

/** A stream that ends with an error after the chunk that begins with a text. */
function brokenAfter(body: ReadableStream<Uint8Array>, begin: string): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let broken = false;
  return new ReadableStream({
    async pull(controller) {
      if (broken) {
        await reader.cancel();
        return controller.error(new TypeError("terminated"));
      }
      const { value, done } = await reader.read();
      if (done) return controller.close();
      broken = new TextDecoder().decode(value).startsWith(begin);
      controller.enqueue(value);
    },
  });
}
