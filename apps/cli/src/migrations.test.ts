import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { migrationFiles } from "@hephaestus/sqlite";
import { expect, it } from "vitest";
import { freshFolder, run } from "../test/run.ts";

const [first = { name: "", sql: "" }] = migrationFiles();

it.each(["d1", "sqlite"])(
  "writes the files that make the tables, and changes nothing the next time: %s",
  async (kind) => {
    const folder = freshFolder();
    const { code, out } = await run(folder, "migrations", kind);
    expect(code).toBe(0);
    expect(out).toBe(
      migrationFiles()
        .map(({ name }) => `written    ${join("migrations", name)}\n`)
        .join(""),
    );
    const database = new DatabaseSync(":memory:");
    for (const name of readdirSync(join(folder, "migrations")).sort()) {
      database.exec(readFileSync(join(folder, "migrations", name), "utf8"));
    }
    expect(database.prepare("SELECT number FROM hephaestus_migrations").all()).toHaveLength(migrationFiles().length);

    const file = join(folder, "migrations", first.name);
    utimesSync(file, 0, 0);
    expect(await run(folder, "migrations", kind)).toMatchObject({
      code: 0,
      out: out.replaceAll("written  ", "unchanged"),
    });
    expect(statSync(file).mtimeMs).toBe(0);
  },
);

it("overwrites no file that differs, and writes none of the others, unless it is forced", async () => {
  const folder = freshFolder();
  const file = join(folder, first.name);
  writeFileSync(file, "-- ours\n");
  const before = readdirSync(folder);
  expect(await run(folder, "migrations", "d1", "--out", ".")).toMatchObject({
    code: 1,
    out: expect.stringContaining(`differs    ${first.name}\nnothing was written`),
  });
  expect(readFileSync(file, "utf8")).toBe("-- ours\n");
  expect(readdirSync(folder)).toEqual(before);
  expect(await run(folder, "migrations", "d1", "--out", ".", "--force")).toMatchObject({ code: 0 });
  expect(readFileSync(file, "utf8")).toBe(first.sql);
});

it("takes a file whose ends of lines a checkout has changed for the same", async () => {
  const folder = freshFolder();
  for (const { name, sql } of migrationFiles()) writeFileSync(join(folder, name), sql.replaceAll("\n", "\r\n"));
  expect(await run(folder, "migrations", "d1", "--out", ".", "--check")).toMatchObject({ code: 0 });
});

it("checks without writing", async () => {
  const folder = freshFolder();
  expect(await run(folder, "migrations", "d1", "--out", ".", "--check")).toMatchObject({
    code: 1,
    out: expect.stringContaining(`missing    ${first.name}\n`),
  });
  expect(readdirSync(folder)).toEqual([]);
});

it("says what is wrong with its command line, and with a folder that is none", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "file"), "");
  for (const [args, why] of [
    [[], "which database: d1 or sqlite?"],
    [["mysql"], 'unknown database "mysql"; there are d1 and sqlite'],
    [["d1", "sqlite"], "one database at a time"],
    [["d1", "--check", "--force"], "--check writes nothing"],
    [["d1", "--out"], "argument missing"],
    [["d1", "--out", "file"], "file"],
  ] as const) {
    expect(await run(folder, "migrations", ...args)).toMatchObject({ code: 2, error: expect.stringContaining(why) });
  }
});

it("writes a file for each declared index, and refuses one that cannot be made", async () => {
  const folder = freshFolder();
  const indexes = ["input.orderId", "updated"];
  const options = indexes.flatMap((index) => ["--index", index]);
  expect(await run(folder, "migrations", "d1", ...options)).toMatchObject({ code: 0 });
  const written = readdirSync(join(folder, "migrations"));
  expect(written.sort()).toEqual(migrationFiles({ indexes }).map(({ name }) => name));
  const { code, error } = await run(folder, "migrations", "d1", "--index", "secret.a");
  expect(code).toBe(2);
  expect(error).toContain("--index");
});
