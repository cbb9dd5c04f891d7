// Keeps a database of today's schema as a file, when a migration has been added and before it is published:
//   node --conditions=@hephaestus/source adapters/sqlite/scripts/keep-schema.ts
import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createHephaestus } from "@hephaestus/core";
import { MIGRATIONS, migrate, sqlStorage } from "@hephaestus/sqlite";
import { nodePort } from "@hephaestus/sqlite/node";
import { keptFlow, UNFINISHED } from "../test/kept-flow.ts";

const database = new DatabaseSync(":memory:");
const port = nodePort(database);
await migrate(port);
const hephaestus = createHephaestus({
  workflows: [keptFlow],
  storage: sqlStorage(port),
  connectors: {
    gate: (orderId: number) => (orderId === UNFINISHED ? new Promise<void>(() => {}) : undefined),
  } as object,
  clock: { now: () => Date.UTC(2026, 0, 1), schedule: () => () => {} },
});
const orders = hephaestus.for(keptFlow);
const completed = await orders.start("1", { orderId: 1 });
await completed.resume("paid", { amount: 10 });
await completed.result();
await orders.start("2", { orderId: 2 });
await orders.start(String(UNFINISHED), { orderId: UNFINISHED });
while ((await orders.get("2")).status !== "waiting");

// As if its input were too long for one row.
database.exec(`
INSERT INTO hephaestus_pieces (ns, id, revision, field, part, text)
SELECT ns, id, revision, 'payloads', 0, substr(payloads, 1, 9) FROM hephaestus_journal WHERE id LIKE '%::2' AND revision = 1
UNION ALL
SELECT ns, id, revision, 'payloads', 1, substr(payloads, 10) FROM hephaestus_journal WHERE id LIKE '%::2' AND revision = 1;
UPDATE hephaestus_journal SET payloads = '' WHERE id LIKE '%::2' AND revision = 1`);

const quoted = (value: unknown) =>
  typeof value === "number" ? value : database.prepare("SELECT quote(?) AS text").get(value as string)?.text;
const lines = database
  .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")
  .all()
  .map(({ sql }) => `${sql};`);
for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()) {
  for (const row of database.prepare(`SELECT * FROM ${name}`).all()) {
    lines.push(`INSERT INTO ${name} VALUES (${Object.values(row).map(quoted).join(", ")});`);
  }
}
const file = new URL(`../test/schemas/${MIGRATIONS.at(-1)?.number}.sql`, import.meta.url);
writeFileSync(file, `${lines.join("\n")}\n`);
process.exit();
