import { DatabaseSync } from "node:sqlite";
import { headerOf } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { declaredIndexSql } from "./declared-index.ts";
import { instanceIndex } from "./instance-index.ts";
import { migrate, migrationFiles } from "./migrations.ts";
import { nodePort } from "./node.ts";

const namesOf = (database: DatabaseSync) =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND (name LIKE '%path%' OR name LIKE '%updated%')")
    .all()
    .map((row) => row.name);

it("refuses an index on what it cannot be made of, and says which", async () => {
  for (const bad of ["input.a'b", 'input.a"b', "secret.a", "input", "input.items.0", ""]) {
    expect(() => declaredIndexSql(bad)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { field: "indexes" } }),
    );
  }
  const database = new DatabaseSync(":memory:");
  await expect(migrate(nodePort(database), { indexes: ["secret.a"] })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
  expect(namesOf(database)).toEqual([]);
});

it("is made once, also on a database that is there already, by the code or by its file", async () => {
  const indexes = ["input.orderId", "updated"];
  const byCode = new DatabaseSync(":memory:");
  await migrate(nodePort(byCode));
  await migrate(nodePort(byCode), { indexes });
  await migrate(nodePort(byCode), { indexes });
  const byFiles = new DatabaseSync(":memory:");
  for (const { sql } of migrationFiles({ indexes })) byFiles.exec(sql);
  expect(namesOf(byCode)).toEqual(["hephaestus_path_input.orderId", "hephaestus_instances_updated"]);
  expect(namesOf(byFiles)).toEqual(namesOf(byCode));
  expect(
    migrationFiles({ indexes })
      .map((file) => file.name)
      .slice(-2),
  ).toEqual(["hephaestus_index_input.orderId.sql", "hephaestus_index_updated.sql"]);
});

it("holds only rows that have something at the path", async () => {
  const database = new DatabaseSync(":memory:");
  const port = nodePort(database);
  const indexes = ["results.charge.amount"];
  await migrate(port, { indexes });
  const index = instanceIndex(port, { indexes });
  await index.put([
    headerOf("a", { results: { charge: '{"amount":5}' } }),
    headerOf("b"),
    headerOf("c", { input: "{}" }),
  ]);
  const held = database
    .prepare(
      'SELECT count(*) AS n FROM hephaestus_instances INDEXED BY "hephaestus_path_results.charge.amount" WHERE (results -> \'$."charge"[0]."amount"\') IS NOT NULL',
    )
    .get();
  expect(held?.n).toBe(1);
  const where = { "results.charge.amount": 5 };
  expect((await index.query({ workflow: "flow", where })).items.map((item) => item.id)).toEqual(["a"]);
});
