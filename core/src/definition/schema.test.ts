import { describe, expect, it } from "vitest";
import { parsePayload, type Schema, type } from "./schema.ts";

/** A schema as a library would make it: it parses, and counts how often. */
function makeSchema<T>(validate: Schema<T>["~standard"]["validate"]) {
  let parsed = 0;
  const schema: Schema<T> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        parsed += 1;
        return validate(value);
      },
    },
  };
  return { schema, parsed: () => parsed };
}

const order = makeSchema((value) => {
  const { price } = value as { price?: unknown };
  if (typeof price === "string") return { value: { price: Number(price) } };
  return { issues: [{ message: "expected text", path: ["items", { key: 0 }, "price"] }, { message: "no order" }] };
});

describe("a schema", () => {
  it("parses a value once, and what it made is stored", async () => {
    expect(await parsePayload(order.schema, { price: "7" }, "input", "INPUT_INVALID")).toBe('{"price":7}');
    expect(order.parsed()).toBe(1);
  });

  it("may take its time", async () => {
    const slow = makeSchema(async (value) => ({ value: [value] }));
    expect(await parsePayload(slow.schema, 1, "input", "INPUT_INVALID")).toBe("[1]");
  });

  it.each(["INPUT_INVALID", "PAYLOAD_INVALID", "RESULT_INVALID"] as const)(
    "refuses with %s, all issues and their paths",
    async (code) => {
      await expect(parsePayload(order.schema, { price: 7 }, "the thing", code)).rejects.toThrow(
        expect.objectContaining({
          code,
          message: "the thing does not fit its schema: $.items[0].price: expected text",
          details: {
            issues: [
              { message: "expected text", path: "$.items[0].price" },
              { message: "no order", path: "$" },
            ],
          },
        }),
      );
    },
  );

  it("that makes what is not JSON is refused, with the path", async () => {
    const dates = makeSchema((value) => ({ value: { at: new Date(String(value)) } }));
    await expect(parsePayload(dates.schema, "2026-01-01", "input", "INPUT_INVALID")).rejects.toThrow(
      expect.objectContaining({ code: "NOT_JSON", details: { path: "$.at", found: "an instance of Date" } }),
    );
  });

  it("that only types lets everything pass that is JSON, undefined too", async () => {
    expect(await parsePayload(type<number>(), "text", "input", "INPUT_INVALID")).toBe('"text"');
    expect(await parsePayload(type<number>(), undefined, "input", "INPUT_INVALID")).toBeUndefined();
    expect(await parsePayload(undefined, 1, "input", "INPUT_INVALID")).toBe("1");
    expect(() => parsePayload(type<number>(), 1n, "input", "INPUT_INVALID")).toThrow(
      expect.objectContaining({ code: "NOT_JSON" }),
    );
  });

  it("is a Standard Schema", () => {
    expect(type<number>()["~standard"]).toMatchObject({ version: 1, vendor: "hephaestus" });
    expect(type<number>()["~standard"].validate(1)).toEqual({ value: 1 });
  });
});
