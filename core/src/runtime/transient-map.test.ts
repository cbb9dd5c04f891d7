import { expect, it } from "vitest";
import { TransientMap } from "./transient-map.ts";

it("is a map, in order of entry, from which entries can be deleted while it is looked through", () => {
  const map = new TransientMap<string, { readonly is: number }>();
  for (let index = 0; index < 100; index++) map.set(`k${index}`, { is: index });
  for (let index = 0; index < 97; index++) map.delete(`k${index}`);
  map.delete("unknown");
  map.set("k98", { is: 0 });
  expect([map.size, map.get("k0"), map.get("k98")]).toEqual([3, undefined, { is: 0 }]);
  expect([...map.keys()]).toEqual(["k97", "k98", "k99"]);
  const seen: number[] = [];
  for (const { is } of map.values()) {
    seen.push(is);
    map.delete("k98");
  }
  expect(seen).toEqual([97, 99]);
  map.clear();
  expect([map.size, ...map.values()]).toEqual([0]);
});
