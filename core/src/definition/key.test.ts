import { describe, expect, it } from "vitest";
import { checkKey, INSTANCE_ID_LENGTH_MAX, instanceIdOf } from "./key.ts";
import { type } from "./schema.ts";
import { defineStep, done } from "./step.ts";
import type { Unique } from "./transitions.ts";
import { defineWorkflow } from "./workflow.ts";

const a = defineStep({ name: "a", run: () => {} });

function definition(unique?: Unique, name = "order_flow", version = 2) {
  return defineWorkflow({
    name,
    version,
    ...(unique ? { unique } : {}),
    input: type<unknown>(),
    start: a,
    transitions: ({ on }) => [on(a, { done: done })],
  }).definition;
}

describe("an instance's id", () => {
  it("is derived from the key, and describes itself", () => {
    const key = "orderid";
    expect(instanceIdOf(definition({ key }), "abc123")).toBe("order_flow/orderid::abc123");
    expect(instanceIdOf(definition({ key, scope: "workflow" }), "abc123")).toBe("order_flow/orderid::abc123");
    expect(instanceIdOf(definition({ key, scope: "version" }), "abc123")).toBe("order_flow@2/orderid::abc123");
    expect(instanceIdOf(definition({ key, scope: "global" }), "abc123")).toBe("orderid::abc123");
    expect(instanceIdOf(definition({ key, scope: "none" }), "abc123", "f00")).toBe("order_flow/orderid::abc123::f00");
  });

  it("LESSONS 13: differs for two workflows of one key name, and for two versions where the scope says so", () => {
    const ids = (["workflow", "version", "none"] as const).flatMap((scope) =>
      ["one", "two"].map((name) => instanceIdOf(definition({ key: "id", scope }, name), "x", "s")),
    );
    const versions = [1, 2].map((version) =>
      instanceIdOf(definition({ key: "id", scope: "version" }, "one", version), "x"),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(versions).size).toBe(2);
  });

  it("is the same for all workflows where the scope is global, and for all versions where it is the workflow", () => {
    const global = ["one", "two"].map((name) => instanceIdOf(definition({ key: "id", scope: "global" }, name), "x"));
    const workflow = [1, 2].map((version) => instanceIdOf(definition({ key: "id" }, "one", version), "x"));
    expect([new Set(global).size, new Set(workflow).size]).toEqual([1, 1]);
  });

  it("is never longer than its limit", () => {
    const longest = definition({ key: "k".repeat(64), scope: "none" }, "w".repeat(64), Number.MAX_SAFE_INTEGER);
    expect(instanceIdOf(longest, "v".repeat(128), "s".repeat(25)).length).toBeLessThan(INSTANCE_ID_LENGTH_MAX);
  });

  it("of the scope none is not made without what makes it its own", () => {
    expect(() => instanceIdOf(definition({ key: "id", scope: "none" }), "x")).toThrow("suffix");
  });
});

describe("LESSONS 20: a key", () => {
  it.each(["Order-123_A", "a", "9", "a.b", "-", "x".repeat(128)])("may be %s", (key) => {
    expect(checkKey(key)).toBe(key);
  });

  it.each(["", "x".repeat(129), "a b", "a/b", "a:b", "é", "a\n", "a\u0000", undefined, null, 7, {}])(
    "may not be %j: that is a clear error",
    (key) => {
      expect(() => checkKey(key)).toThrow(expect.objectContaining({ code: "KEY_INVALID", details: { field: "key" } }));
    },
  );
});
