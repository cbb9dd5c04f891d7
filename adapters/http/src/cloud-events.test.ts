import { describe, expect, it } from "vitest";
import { harness } from "../test/harness.ts";

const ORDER = "order_flow/orderid::1";
const AT = `/instances/${encodeURIComponent(ORDER)}/events`;
const TYPE = { "content-type": "application/cloudevents+json" };
const event = { specversion: "1.0", id: "42", source: "/shop", type: "approved", data: { by: "ada" } };
const binary = { "ce-specversion": "1.0", "ce-id": "42", "ce-source": "/shop", "ce-type": "approved" };

async function waiting() {
  const all = harness();
  await all.engine.start("order_flow", { items: 2 }, { key: "1" });
  await all.until(ORDER, "waiting");
  await all.engine.pause(ORDER);
  const ids = async () => (await all.engine.get(ORDER)).inbox.map((entry) => entry.id);
  return { ...all, ids };
}

describe("a CloudEvent", () => {
  it("in structured form is the event, its id with its source the command's", async () => {
    const { call, ids } = await waiting();
    for (let times = 0; times < 2; times++) {
      const { status, body } = await call("POST", AT, { json: event, headers: TYPE });
      expect([status, body]).toEqual([202, { outcome: "queued" }]);
    }
    expect(await ids()).toEqual(["/shop 42"]);
    await call("POST", AT, { json: { ...event, source: "/other" }, headers: TYPE });
    expect(await ids()).toEqual(["/shop 42", "/other 42"]);
  });

  it("in binary form is the same event", async () => {
    const { call, ids, engine } = await waiting();
    await call("POST", AT, { json: event, headers: TYPE });
    const { status } = await call("POST", AT, { json: { by: "ada" }, headers: binary });
    expect([status, await ids()]).toEqual([202, ["/shop 42"]]);
    await call("POST", AT, {
      json: { by: "grace" },
      headers: { ...binary, "ce-id": "caf%C3%A9", "ce-step": "escalate" },
    });
    expect(await ids()).toEqual(["/shop 42", "/shop café"]);
    const entry = (await engine.history(ORDER)).find((one) => one.type === "event" && one.id === "/shop café");
    expect(entry).toMatchObject({ event: "approved", payload: { by: "grace" } });
  });

  it("may have no data", async () => {
    const { call, ids } = await waiting();
    await call("POST", AT, { headers: { ...binary, "ce-type": "refused" } });
    const { data: _data, ...bare } = { ...event, id: "43", type: "refused" };
    await call("POST", AT, { json: bare, headers: TYPE });
    expect(await ids()).toEqual(["/shop 42", "/shop 43"]);
  });

  it("of a long source has an id that fits", async () => {
    const { call, ids } = await waiting();
    await call("POST", AT, { json: { ...event, source: `https://example.com/${"a".repeat(300)}` }, headers: TYPE });
    expect((await ids())[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("gives way to an idempotency key", async () => {
    const { call, ids } = await waiting();
    await call("POST", AT, { json: event, headers: { ...TYPE, "idempotency-key": "mine" } });
    expect(await ids()).toEqual(["mine"]);
  });

  it.each([
    ["another version", { ...event, specversion: "0.3" }, 422],
    ["no version", { ...event, specversion: undefined }, 422],
    ["no id", { ...event, id: undefined }, 422],
    ["an empty id", { ...event, id: "" }, 422],
    ["a number as id", { ...event, id: 1 }, 422],
    ["no source", { ...event, source: undefined }, 422],
    ["no type", { ...event, type: undefined }, 422],
    ["a number as step", { ...event, step: 1 }, 422],
    ["an array", [event], 422],
    ["null", null, 422],
    ["data in base64", { ...event, data: undefined, data_base64: "e30=" }, 415],
    ["data that is XML", { ...event, datacontenttype: "text/xml", data: "<a/>" }, 415],
  ])("with %s is refused", async (_what, json, expected) => {
    const { call, ids } = await waiting();
    const { status } = await call("POST", AT, { json, headers: TYPE });
    expect([status, await ids()]).toEqual([expected, []]);
  });

  it.each([
    ["no type", { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop" }, 422],
    ["broken encoding", { ...binary, "ce-id": "%E0%A4%A" }, 422],
    ["data that is text", { ...binary, "content-type": "text/plain" }, 415],
  ])("in binary form with %s is refused", async (_what, headers, expected) => {
    const { call, ids } = await waiting();
    const { status } = await call("POST", AT, { json: { by: "ada" }, headers });
    expect([status, await ids()]).toEqual([expected, []]);
  });

  it("in a batch is 415", async () => {
    const { call } = await waiting();
    const headers = { "content-type": "application/cloudevents-batch+json" };
    expect((await call("POST", AT, { json: [event], headers })).status).toBe(415);
  });
});
