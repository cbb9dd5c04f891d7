import { join } from "node:path";
import { parseArgs } from "node:util";
import { HephaestusError } from "@hephaestus/core";
import { type MigrationFile, migrationFiles } from "@hephaestus/sqlite";
import type { Command } from "./command.ts";
import { UsageError } from "./usage-error.ts";
import { readOutput, writeOutputs } from "./write-files.ts";

/** Both have one schema, made by one list of migrations. */
const DATABASES = ["d1", "sqlite"];

/** `hephaestus migrations`: the schema's steps as files of SQL. */
export const migrations: Command = {
  summary: "writes the migrations of a database as files of SQL",
  help: `Usage: hephaestus migrations <d1|sqlite> [--out <folder>] [--index <path>]… [--check] [--force]

Writes the numbered files that make Hephaestus's tables. For D1, \`wrangler d1 migrations apply\` takes them as they are.
For SQLite they are for those who apply migrations themselves: sqliteStorage applies its own when it opens a file.
What is up to date stays as it is; where a file differs from what would be written, nothing is written at all.

Options:
  --out <folder>    where to write them (default: migrations)
  --index <path>    also make an index on a JSON path, such as input.orderId, or on "updated"; may stand several times
  --check           write nothing; exit code 1 when a file is missing or differs
  --force           overwrite files that differ

Exit codes: 0 all files are up to date; 1 a file differs; 2 the command line is wrong, or a file cannot be written.
`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: "string", default: "migrations" },
        index: { type: "string", multiple: true, default: [] },
        check: { type: "boolean", default: false },
        force: { type: "boolean", default: false },
      },
    });
    const [database, ...others] = positionals;
    if (database === undefined) throw new UsageError("which database: d1 or sqlite?");
    if (others.length > 0) throw new UsageError(`one database at a time, not also ${others.join(", ")}`);
    if (!DATABASES.includes(database)) {
      throw new UsageError(`unknown database ${JSON.stringify(database)}; there are ${DATABASES.join(" and ")}`);
    }
    if (values.check && values.force) throw new UsageError("--check writes nothing, so there is nothing to --force");
    const outputs = filesFor(values.index).map(({ name, sql }) => ({ path: join(values.out, name), text: sql }));
    const changed = outputs.filter(({ path, text }) => {
      const before = readOutput(path, terminal);
      return before !== undefined && before !== text;
    });
    if (changed.length > 0 && !values.check && !values.force) {
      for (const { path } of changed) terminal.out(`differs    ${path}\n`);
      terminal.out("nothing was written: --force overwrites files that differ from what this version makes\n");
      return 1;
    }
    return writeOutputs(outputs, values.check, terminal);
  },
};

function filesFor(indexes: readonly string[]): readonly MigrationFile[] {
  try {
    return migrationFiles({ indexes });
  } catch (error) {
    if (error instanceof HephaestusError) throw new UsageError(`--index: ${error.message}`);
    throw error;
  }
}
