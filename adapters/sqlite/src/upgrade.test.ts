import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createHephaestus } from "@hephaestus/core";
import { expect, it } from "vitest";
import { keptFlow, UNFINISHED } from "../test/kept-flow.ts";
import { newFile } from "../test/processes.ts";
import { MIGRATIONS } from "./migrations.ts";
import { sqliteStorage } from "./node.ts";

/** Databases as each version of the schema left them, by `scripts/keep-schema.ts`: published ones never change. */
const folder = new URL("../test/schemas/", import.meta.url);
const schemaOf = (fileName: string) =>
  new DatabaseSync(fileName, { readOnly: true })
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
    .all();

it("a database of every version is kept", () => {
  expect(readdirSync(folder).sort()).toEqual(MIGRATIONS.map(({ number }) => `${number}.sql`));
});

for (const { number } of MIGRATIONS) {
  it(`a database of version ${number} becomes one of today, and its instances go on`, async () => {
    const fileName = newFile();
    const old = new DatabaseSync(fileName);
    old.exec(readFileSync(new URL(`${number}.sql`, folder), "utf8"));
    old.close();

    const storage = sqliteStorage(fileName);
    const fresh = newFile();
    await sqliteStorage(fresh).close();
    expect(schemaOf(fileName)).toEqual(schemaOf(fresh));

    const hephaestus = createHephaestus({ workflows: [keptFlow], storage, local: { sweepMs: 20 } });
    const orders = hephaestus.for(keptFlow);
    expect(await orders.get("1")).toMatchObject({ status: "completed", run: 1, input: { orderId: 1 } });
    expect((await orders.history("1")).length).toBeGreaterThan(3);
    expect((await orders.list({ key: "1" })).items).toMatchObject([{ status: "completed", tags: ["kept"] }]);
    expect((await hephaestus.list({ tag: "kept" })).items).toHaveLength(3);
    // The one that waited goes on, as does the one whose process was stopped.
    expect(await orders.get("2")).toMatchObject({ status: "waiting", input: { orderId: 2 } });
    for (const key of ["2", String(UNFINISHED)]) {
      await orders.resume(key, "paid", { amount: 1 });
      expect(await orders.result(key)).toEqual({ ship: { shipped: Number(key) * 10 } });
    }
    const second = await orders.restart("1");
    expect(second.run).toBe(2);
    await hephaestus.close();
    await storage.close();
  });
}
