import { expect, it } from "vitest";
import { checkNamespace, objectAddress, objectName } from "./object-name.ts";

it("names tell engines and ids apart, whatever the ids are", () => {
  const addresses = ["", "a", "b"].flatMap((namespace) =>
    ["order/n::1", ":a:order/n::1", "::x", ":", "a:b"].map((id) => ({ namespace, id })),
  );
  expect(addresses.map(objectName).map(objectAddress)).toEqual(addresses);
  expect(new Set(addresses.map(objectName)).size).toBe(addresses.length);
  expect(objectName({ namespace: "", id: "order/n::1" })).toBe("order/n::1");
});

it("refuses an engine's name that could be taken for another", () => {
  expect(checkNamespace("shop-1")).toBe("shop-1");
  for (const bad of [":", "a:b", "a/b", "x".repeat(65)]) {
    expect(() => checkNamespace(bad)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  }
});
