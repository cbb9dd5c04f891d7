import fc from "fast-check";
import { expect, it } from "vitest";
import { harness } from "../test/harness.ts";

const { app, engine, errors } = harness();
const { id } = await engine.start("order_flow", { items: 1 }, { key: "1" });

const names = fc.constantFrom("__proto__", "constructor", "toString", "key", "input", "version", "tags", "metadata");
const members = fc.constantFrom("event", "payload", "step", "delay", "type", "specversion", "id", "source", "data");
const json = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.dictionary(fc.oneof(names, members), fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value)),
  fc.tuple(fc.oneof(names, members), fc.json({ maxDepth: 2 })).map(([name, value]) => `{"${name}":${value}}`),
);
const body = fc.oneof(json, fc.string(), fc.string({ unit: "binary" }), fc.uint8Array());
const contentType = fc.constantFrom(
  "application/json",
  "application/json",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
  "application/x-www-form-urlencoded",
  "",
);
const ascii = fc.string({ unit: fc.constantFrom(..."abc123%\"';,/:= ") });
const headers = fc.dictionary(
  fc.constantFrom(
    "idempotency-key",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-specversion",
    "last-event-id",
    "content-length",
  ),
  ascii,
);
const segment = fc.oneof(
  fc.constantFrom("order_flow", "note_flow", id, "__proto__"),
  fc.string({ unit: "grapheme", minLength: 1 }),
);

async function answered(path: string, init: RequestInit): Promise<void> {
  const aborter = new AbortController();
  const response = await app.request(path, { ...init, signal: aborter.signal });
  aborter.abort();
  expect(response.status, `${init.method} ${path}`).toBeLessThan(500);
  if (response.status >= 400) expect(response.headers.get("content-type")).toBe("application/problem+json");
  await response.body?.cancel();
}

const routes = app.routes.filter(({ method }) => method !== "ALL");

it("never answers garbage with a 500", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      segment,
      body,
      contentType,
      headers,
      async (route, name, text, type, own) => {
        const path = route.path.replace(/:\w+/g, encodeURIComponent(name));
        const all = { ...own, ...(type === "" ? {} : { "content-type": type }) };
        await answered(path, {
          method: route.method,
          headers: all,
          ...(route.method === "POST" ? { body: text as BodyInit } : {}),
        });
      },
    ),
    { numRuns: 2_000 },
  );
  expect(errors).toEqual([]);
});

it("never answers a garbage query or path with a 500", async () => {
  const field = fc.oneof(
    fc.constantFrom("limit", "status", "where.input.a", "cursor", "createdAfter", "version"),
    ascii,
  );
  const query = fc.array(fc.tuple(field, fc.oneof(ascii, fc.string({ unit: "binary" }), fc.json({ maxDepth: 2 }))));
  await fc.assert(
    fc.asyncProperty(query, async (pairs) => {
      const text = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
      await answered(`/instances?${text}`, { method: "GET" });
    }),
    { numRuns: 1_000 },
  );
  const raw = fc.string({ unit: fc.constantFrom(..."/%.2Fae?&=;:@+") });
  await fc.assert(
    fc.asyncProperty(raw, async (path) => answered(`/instances/${path}`, { method: "GET" })),
    { numRuns: 1_000 },
  );
  expect(errors).toEqual([]);
});
