import { DatabaseSync } from "node:sqlite";
import { commitOf } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { MIGRATIONS, migrate, migrationFiles } from "./migrations.ts";
import { nodePort } from "./node.ts";
import { sqlStorage } from "./storage.ts";

const schemaOf = (database: DatabaseSync) =>
  database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();

it("makes the tables once, and records it", async () => {
  const database = new DatabaseSync(":memory:");
  const port = nodePort(database);
  await migrate(port);
  const schema = schemaOf(database);
  await sqlStorage(port).commit([commitOf("a", 0)]);
  await migrate(port);
  expect(schemaOf(database)).toEqual(schema);
  expect(await sqlStorage(port).load("a")).toHaveLength(1);
  expect(database.prepare("SELECT number, name FROM hephaestus_migrations").all()).toMatchObject(
    MIGRATIONS.map(({ number, name }) => ({ number, name })),
  );
});

it("several may migrate at once", async () => {
  const port = nodePort(new DatabaseSync(":memory:"));
  await Promise.all([migrate(port), migrate(port), migrate(port)]);
  expect(await sqlStorage(port).commit([commitOf("a", 0)])).toEqual(["ok"]);
});

it("a migration that fails leaves nothing behind and says why", async () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE hephaestus_tags (other TEXT)");
  await expect(migrate(nodePort(database))).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    message: expect.stringContaining("hephaestus_tags already exists"),
  });
  expect(schemaOf(database).map((row) => row.name)).toEqual(["hephaestus_migrations", "hephaestus_tags"]);
});

it("refuses a database that a newer version has migrated", async () => {
  const database = new DatabaseSync(":memory:");
  await migrate(nodePort(database));
  database.exec("INSERT INTO hephaestus_migrations (number, name) VALUES (99, 'later')");
  await expect(migrate(nodePort(database))).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    details: { found: 99 },
  });
});

it("the files make the same database as the code, and keep the same record", async () => {
  const byFiles = new DatabaseSync(":memory:");
  for (const { sql } of migrationFiles()) byFiles.exec(sql);
  const byCode = new DatabaseSync(":memory:");
  await migrate(nodePort(byCode));
  expect(schemaOf(byFiles)).toEqual(schemaOf(byCode));
  await migrate(nodePort(byFiles));
  expect(migrationFiles().map((file) => file.name)).toEqual([
    "0001_hephaestus_journal_and_instances.sql",
    "0002_hephaestus_keys_and_parents.sql",
  ]);
});

it("the files are such that a remote D1 cannot cut them wrongly: no triggers, and semicolons only between statements", () => {
  for (const { sql } of migrationFiles({ indexes: ["input.orderId", "updated"] })) {
    expect(sql).not.toMatch(/TRIGGER|\r/i);
    for (const line of sql.split("\n")) expect(line).toMatch(/^[^;]*;?$/);
  }
});
