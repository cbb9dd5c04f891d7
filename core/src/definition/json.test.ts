import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePayload, encodePayload, PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX } from "./json.ts";

const refused = (value: unknown) => {
  try {
    encodePayload(value, "input");
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: unknown };
    expect({ code, message }).toEqual({ code: "NOT_JSON", message: expect.stringMatching(/^input is not JSON: \$/) });
    return details;
  }
  return undefined;
};
const cyclic: { self?: unknown } = {};
cyclic.self = [cyclic];
class Money {
  amount = 1;
}

describe("a payload that is not JSON is refused with the path to what is not", () => {
  it.each<[string, unknown, string, string]>([
    ["a function", { items: [{ run: () => {} }] }, "$.items[0].run", "function"],
    ["a BigInt", { a: [1, 2n] }, "$.a[1]", "bigint"],
    ["a symbol", Symbol("x"), "$", "symbol"],
    ["NaN", { price: Number.NaN }, "$.price", "NaN"],
    ["Infinity", [Number.POSITIVE_INFINITY], "$[0]", "Infinity"],
    ["a Date", { at: new Date(0) }, "$.at", "an instance of Date"],
    ["an object with toJSON", { x: { toJSON: () => 1 } }, "$.x", "an object with toJSON"],
    ["an array with toJSON", Object.assign([1], { toJSON: () => 1 }), "$", "an instance of Array"],
    ["an instance of a class", { cost: new Money() }, "$.cost", "an instance of Money"],
    ["a Map", { m: new Map() }, "$.m", "an instance of Map"],
    ["a typed array", new Uint8Array(2), "$", "an instance of Uint8Array"],
    ["a boxed number", [new Number(1)], "$[0]", "an instance of Number"],
    ["a cycle", cyclic, "$.self[0]", "a cycle"],
    ["undefined in an array", [1, undefined], "$[1]", "undefined"],
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested
    ["a hole in an array", [1, , 3], "$[1]", "undefined"],
    ["an array with a property", Object.assign([1], { extra: 2 }), "$", "an array with properties of its own"],
    ["a key that is a symbol", { a: { [Symbol("x")]: 1 } }, "$.a", "an object with a symbol among its keys"],
    ["a key __proto__", JSON.parse('{"a":{"__proto__":{"x":1}}}'), "$.a.__proto__", "a property named __proto__"],
    ["a key that is no name", { "no name": { "": 1n } }, '$["no name"][""]', "bigint"],
  ])("%s", (_what, value, path, found) => {
    expect(refused(value)).toEqual({ path, found });
  });

  it("nesting that would overflow another runtime's stack", () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let level = 0; level < depth; level++) value = [value];
      return value;
    };
    expect(encodePayload(nested(PAYLOAD_DEPTH_MAX), "input")).toBeDefined();
    expect(refused(nested(PAYLOAD_DEPTH_MAX + 1))).toMatchObject({ found: `nesting deeper than ${PAYLOAD_DEPTH_MAX}` });
  });
});

describe("a payload", () => {
  it("that is undefined is none", () => {
    expect(encodePayload(undefined, "input")).toBeUndefined();
    expect(decodePayload(undefined)).toBeUndefined();
  });

  it("loses its undefined properties", () => {
    expect(encodePayload({ a: undefined, b: 1 }, "input")).toBe('{"b":1}');
  });

  it("may hold one object twice, which is no cycle", () => {
    const shared = { x: 1 };
    expect(encodePayload([shared, shared], "input")).toBe('[{"x":1},{"x":1}]');
  });

  it("may be made by JSON.parse, Object.create(null), or in another realm, and have a property named toJSON", () => {
    const bare = Object.assign(Object.create(null), { a: 1 });
    expect(encodePayload({ bare, toJSON: 1 }, "input")).toBe('{"bare":{"a":1},"toJSON":1}');
  });

  it("keeps lone surrogates, which a storage in UTF-8 would lose if they were not escaped", () => {
    const text = encodePayload(["\ud800", "\udc00x"], "input") as string;
    expect(text).toBe('["\\ud800","\\udc00x"]');
    expect(decodePayload(text)).toEqual(["\ud800", "\udc00x"]);
  });

  it("turns -0 into 0", () => {
    expect(encodePayload(-0, "input")).toBe("0");
  });

  it("that is too large is refused with its bytes, of which a character may have several", () => {
    for (const [character, bytes] of [
      ["x", 1],
      ["ü", 2],
      ["漢", 3],
      ["😀", 4],
    ] as const) {
      const most = Math.floor((PAYLOAD_BYTES_MAX - 2) / bytes);
      const text = character.repeat(most);
      expect(encodePayload(text, "input")).toHaveLength(text.length + 2);
      expect(() => encodePayload(text + character, "input")).toThrow(
        expect.objectContaining({
          code: "LIMIT_EXCEEDED",
          details: { limit: "PAYLOAD_BYTES_MAX", most: PAYLOAD_BYTES_MAX, found: (most + 1) * bytes + 2 },
        }),
      );
    }
  });

  it("comes back as it went in", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // What the codec refuses by name is told above.
        fc.pre(!JSON.stringify(value).includes("__proto__") && !Object.is(value, -0));
        expect(decodePayload(encodePayload(value, "input") as string)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
