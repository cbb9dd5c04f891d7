import type { InstanceChange } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { harness, manualClock, memoryEngine } from "../test/harness.ts";
import { readEvents, type StreamEvent } from "./event-stream.ts";
import { BUFFERED_CHANGES_MAX, HEARTBEAT_MS } from "./live-updates.ts";

const ORDER = "order_flow/orderid::1";
const AT = `/instances/${encodeURIComponent(ORDER)}/changes`;

async function waiting() {
  const engine = memoryEngine();
  let subscribers = 0;
  const counted = {
    ...engine,
    subscribe(id: string, listener: (change: InstanceChange) => void) {
      subscribers++;
      const stop = engine.subscribe(id, listener);
      let stopped = false;
      return () => {
        if (!stopped) subscribers--;
        stopped = true;
        stop();
      };
    },
  };
  const clock = manualClock();
  const all = harness({ clock }, counted);
  await engine.start("order_flow", { items: 2 }, { key: "1" });
  await all.until(ORDER, "waiting");
  return { ...all, clock, subscribers: () => subscribers };
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  return response.body as ReadableStream<Uint8Array>;
}

const changeIn = ({ data }: StreamEvent) => JSON.parse(data) as InstanceChange;

describe("live updates", () => {
  it("tell where the instance stands, then each change, and end with the run", async () => {
    const { app, engine, subscribers } = await waiting();
    const events = readEvents(bodyOf(await app.request(AT)));
    const first = changeIn((await events.next()).value as StreamEvent);
    expect(first).toMatchObject({
      id: ORDER,
      run: 1,
      status: "waiting",
      steps: { price: "completed", approve: "waiting" },
    });
    expect(subscribers()).toBe(1);
    await engine.resume(ORDER, "approved", { by: "ada" });
    const rest: StreamEvent[] = [];
    for await (const event of events) rest.push(event);
    expect(rest.every(({ name }) => name === "change")).toBe(true);
    expect(rest.map(({ id }) => Number(id))).toEqual(rest.map((event) => changeIn(event).revision));
    expect(changeIn(rest.at(-1) as StreamEvent)).toMatchObject({ status: "completed", steps: { ship: "completed" } });
    expect(subscribers()).toBe(0);
  });

  it("of a run that has ended are one event", async () => {
    const { app, engine, until } = await waiting();
    await engine.cancel(ORDER);
    await until(ORDER, "cancelled");
    const events = [];
    for await (const event of readEvents(bodyOf(await app.request(AT)))) events.push(changeIn(event).status);
    expect(events).toEqual(["cancelled"]);
  });

  it("go on after the last event that was seen, and are 204 when it was the end", async () => {
    const { app, engine, until } = await waiting();
    const { revision } = await engine.get(ORDER);
    const headers = { "last-event-id": String(revision) };
    const events = readEvents(bodyOf(await app.request(AT, { headers })));
    await engine.resume(ORDER, "refused");
    expect(changeIn((await events.next()).value as StreamEvent).revision).toBe(revision + 1);
    await events.return();
    await engine.cancel(ORDER);
    await until(ORDER, "cancelled");
    const last = String((await engine.get(ORDER)).revision);
    expect((await app.request(AT, { headers: { "last-event-id": last } })).status).toBe(204);
    for (const id of ["x", "-1", "9".repeat(14), "1e9", ""]) {
      expect((await app.request(AT, { headers: { "last-event-id": id } })).status).toBe(200);
    }
  });

  it("say that they live when nothing else is said", async () => {
    const { app, clock } = await waiting();
    const reader = bodyOf(await app.request(AT)).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe("retry: 3000\n\n");
    expect(await read()).toContain("event: change\n");
    clock.advance(HEARTBEAT_MS - 1);
    clock.advance(1);
    expect(await read()).toBe(": heartbeat\n\n");
    clock.advance(HEARTBEAT_MS);
    expect(await read()).toBe(": heartbeat\n\n");
    await reader.cancel();
    clock.advance(HEARTBEAT_MS);
  });

  it("end when the reader goes", async () => {
    const { app, subscribers } = await waiting();
    const response = await app.request(AT);
    await response.body?.cancel();
    expect(subscribers()).toBe(0);
    const aborter = new AbortController();
    const other = await app.request(AT, { signal: aborter.signal });
    expect(subscribers()).toBe(1);
    aborter.abort();
    expect(subscribers()).toBe(0);
    for await (const _event of readEvents(bodyOf(other)));
  });

  it("end when the reader is too slow, and not without bound", async () => {
    const { app, clock, subscribers } = await waiting();
    const body = bodyOf(await app.request(AT));
    for (let beat = 0; beat < BUFFERED_CHANGES_MAX; beat++) clock.advance(HEARTBEAT_MS);
    expect(subscribers()).toBe(0);
    let chunks = 0;
    for (const reader = body.getReader(); !(await reader.read()).done; ) chunks++;
    expect(chunks).toBe(BUFFERED_CHANGES_MAX);
  });

  it("leave no subscription behind when there is no such instance, or only the head is asked for", async () => {
    const { app, subscribers } = await waiting();
    expect((await app.request("/instances/nope/changes")).status).toBe(404);
    const head = await app.request(AT, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(subscribers()).toBe(0);
  });
});
