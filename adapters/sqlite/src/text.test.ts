import fc from "fast-check";
import { expect, it } from "vitest";
import { compareKept, cutText, escapeText, isWellFormed, unescapeText } from "./text.ts";

/** Any sequence of UTF-16 units, with the unpleasant ones often. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\0", "\u001a", "\ud83d", "\ude00", "0", "d", "é", "\u2028", "\uffff", "😀"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

it("an escaped text is well formed, without NUL, and comes back as it was", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeText(text);
      expect(isWellFormed(escaped)).toBe(true);
      expect(escaped).not.toContain("\0");
      expect(unescapeText(escaped)).toBe(text);
    }),
  );
});

it("compares as a database orders what is kept", () => {
  const near = fc.string({
    unit: fc.constantFrom("a", "\0", "\ud83d", "\ude00", "😀", "\ue000", "\uffff", "é"),
    maxLength: 3,
  });
  fc.assert(
    fc.property(near, near, (one, other) => {
      const bytes = (text: string) => Buffer.from(escapeText(text));
      expect(Math.sign(compareKept(one, other))).toBe(Buffer.compare(bytes(one), bytes(other)));
    }),
  );
});

it("ordinary texts are kept readable", () => {
  expect(escapeText("order_flow/orderid::O'Brien \\ ü😀\u2028")).toBe("order_flow/orderid::O'Brien \\ ü😀\u2028");
});

it("cuts without loss and without halving a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 2, max: 5 }), (text, length) => {
      const pieces = cutText(text, length);
      expect(pieces.join("")).toBe(text);
      for (const piece of pieces) expect(isWellFormed(piece) && piece.length > 0 && piece.length <= length).toBe(true);
    }),
  );
});
