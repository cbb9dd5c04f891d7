import { openDB } from "idb";
import { expect, it } from "vitest";

it("runs in a browser with IndexedDB and Web Locks", async () => {
  const db = await openDB("smoke", 1, { upgrade: (upgraded) => void upgraded.createObjectStore("values") });
  await db.put("values", "value", "key");
  expect(await db.get("values", "key")).toBe("value");
  expect(await navigator.locks.request("smoke", () => "held")).toBe("held");
  db.close();
});
