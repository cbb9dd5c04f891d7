import fc from "fast-check";
import { expect, it } from "vitest";
import { utf8Length } from "./utf8.ts";

it("counts bytes as an encoder does", () => {
  expect([..."aé漢😀"].map(utf8Length)).toEqual([1, 2, 3, 4]);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
});
