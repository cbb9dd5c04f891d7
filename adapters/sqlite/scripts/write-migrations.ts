// Writes the migrations as files for `wrangler d1 migrations apply`, and nothing else in that folder:
//   node --conditions=@hephaestus/source adapters/sqlite/scripts/write-migrations.ts <folder>
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrationFiles } from "@hephaestus/sqlite";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: write-migrations.ts <folder>");
mkdirSync(folder, { recursive: true });
for (const { name, sql } of migrationFiles()) writeFileSync(join(folder, name), sql);
