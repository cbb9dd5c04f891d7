import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { commitOf } from "@hephaestus/core/testing/conformance";
import { migrationFiles } from "@hephaestus/sqlite";
import { expect, it } from "vitest";
import { d1Storage, migrate } from "./index.ts";

// The files as they are checked in: vite reads them when the test is built.
const files = Object.entries(
  import.meta.glob<string>("../migrations/*", { query: "?raw", import: "default", eager: true }),
).map(([path, sql]) => ({ name: path.slice("../migrations/".length), sql }));

it("the files in migrations/ are what the code makes (npm run migrations -w @hephaestus/d1)", () => {
  expect(files).toEqual(migrationFiles());
});

it("a database made by the files works, and `migrate` finds nothing left to do", async () => {
  await applyD1Migrations(
    env.DB,
    files.map(({ name, sql }) => ({
      name,
      queries: sql
        .split(/;$/m)
        .map((one) => one.trim())
        .filter(Boolean),
    })),
  );
  await migrate(env.DB);
  expect(await d1Storage(env.DB).commit([commitOf("a", 0)])).toEqual(["ok"]);
});
