import { HephaestusError } from "@hephaestus/core";
import { declaredIndexSql } from "./declared-index.ts";
import type { Row, SqlPort, Statement } from "./port.ts";

/** A step of the schema. Its statements never change once published: the next step is a new migration. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/*
 * Tables are WITHOUT ROWID, so that a row is one row written (D1 bills them) and its key is where it lies.
 * No triggers: `wrangler d1 migrations apply --remote` cuts their bodies at the semicolons.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: "journal_and_instances",
    statements: [
      // Its key is the fence. `run_start` is the first revision of the record's run, so that a load finds where to
      // begin. An empty text in `changes` or `payloads` says that the text stands in hephaestus_pieces. The payloads
      // come last: a load that does not ask for them does not read the pages that they overflow to.
      `CREATE TABLE hephaestus_journal (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  run INTEGER NOT NULL,
  run_start INTEGER NOT NULL,
  nonce TEXT NOT NULL,
  changes TEXT NOT NULL,
  payloads TEXT,
  PRIMARY KEY (ns, id, revision)
) STRICT, WITHOUT ROWID`,
      // Texts that are too large for one value.
      `CREATE TABLE hephaestus_pieces (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  field TEXT NOT NULL,
  part INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (ns, id, revision, field, part)
) STRICT, WITHOUT ROWID`,
      // The header rows. `results` holds each result in an array of one: {"charge":[{"amount":5}]}. `look_at` is the
      // `wake_at` of an instance that lives elsewhere and wakes by itself: read by sweeps alone, and so in no index.
      `CREATE TABLE hephaestus_instances (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  workflow TEXT NOT NULL,
  version INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  status TEXT NOT NULL,
  key TEXT,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  current TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  ended INTEGER,
  error TEXT,
  owner TEXT,
  wake_at INTEGER,
  look_at INTEGER,
  input TEXT,
  results TEXT,
  PRIMARY KEY (ns, id, run)
) STRICT, WITHOUT ROWID`,
      "CREATE INDEX hephaestus_instances_created ON hephaestus_instances (ns, created, id)",
      "CREATE INDEX hephaestus_instances_workflow ON hephaestus_instances (ns, workflow, created, id)",
      "CREATE INDEX hephaestus_instances_status ON hephaestus_instances (ns, status, created, id)",
      "CREATE INDEX hephaestus_instances_due ON hephaestus_instances (ns, wake_at) WHERE wake_at IS NOT NULL",
      // An index of the rows' tags, in the order of pages. The row itself has the last word.
      `CREATE TABLE hephaestus_tags (
  ns TEXT NOT NULL,
  tag TEXT NOT NULL,
  created INTEGER NOT NULL,
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (ns, tag, created, id, run)
) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    number: 2,
    name: "keys_and_parents",
    statements: [
      "ALTER TABLE hephaestus_instances ADD COLUMN parent TEXT",
      // Where each index costs a row of every instance, lists without a condition are merged from those by status.
      "DROP INDEX hephaestus_instances_created",
      "CREATE INDEX hephaestus_instances_key ON hephaestus_instances (ns, key, created, id) WHERE key IS NOT NULL",
      "CREATE INDEX hephaestus_instances_parent ON hephaestus_instances (ns, parent, created, id) WHERE parent IS NOT NULL",
    ],
  },
];

const CREATE_RECORD = `CREATE TABLE IF NOT EXISTS hephaestus_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT`;

/** Prepares the record of migrations and reads it; its rows are what `pendingMigrations` takes. */
export const readMigrations: readonly [Statement, Statement] = [
  { sql: CREATE_RECORD, params: [] },
  { sql: "SELECT number FROM hephaestus_migrations ORDER BY number", params: [] },
];

/** What a database is to have beside its own schema. */
export interface MigrateOptions {
  /** Declared indexes: JSON paths such as `"input.orderId"`, and `"updated"`. */
  readonly indexes?: readonly string[];
}

/**
 * The statements that bring a database up to date, for one transaction.
 *
 * @throws HephaestusError STORAGE_UNAVAILABLE when a newer version of this package was here
 */
export function pendingMigrations(applied: readonly Row[]): readonly Statement[] {
  const numbers = new Set(applied.map((row) => row.number));
  const newest = MIGRATIONS.at(-1)?.number ?? 0;
  for (const number of numbers) {
    if (Number(number) <= newest) continue;
    throw new HephaestusError(
      "STORAGE_UNAVAILABLE",
      `the database has migration ${number}; this code knows ${newest}`,
      {
        found: number,
        known: newest,
      },
    );
  }
  return MIGRATIONS.filter((migration) => !numbers.has(migration.number))
    .flatMap((migration) => [...migration.statements, recordOf(migration)])
    .map((sql) => ({ sql, params: [] }));
}

function recordOf({ number, name }: Migration): string {
  return `INSERT INTO hephaestus_migrations (number, name) VALUES (${number}, '${name}')`;
}

/** The statements that make declared indexes; where they are made already, nothing happens. */
export function declaredIndexes({ indexes = [] }: MigrateOptions): readonly Statement[] {
  return indexes.map((declared) => ({ sql: declaredIndexSql(declared), params: [] }));
}

/**
 * Brings a database up to date; when it is, nothing happens. Several may do so at once.
 *
 * @throws HephaestusError as the port does, STORAGE_UNAVAILABLE for a database of a newer version, OPTION_INVALID for
 * an index that cannot be made
 * @example
 * await migrate(port, { indexes: ["input.orderId"] });
 */
export async function migrate(port: SqlPort, options: MigrateOptions = {}): Promise<void> {
  const declared = declaredIndexes(options);
  for (let before = -1; ; ) {
    const [, applied = []] = await port.batch(readMigrations);
    const pending = [...pendingMigrations(applied), ...declared];
    if (pending.length === 0) return;
    try {
      await port.batch(pending);
      return;
    } catch (error) {
      // Somebody else may have been quicker; where nothing has moved, it is this migration that fails.
      if (before === applied.length) throw error;
      before = applied.length;
    }
  }
}

/**
 * The migrations as files of SQL, for tools that apply them, such as `wrangler d1 migrations apply`. They keep the
 * same record as `migrate`, so that both can be used on one database. Each declared index is a file of its own, which
 * comes after the numbered ones.
 *
 * @throws HephaestusError OPTION_INVALID for an index that cannot be made
 * @example
 * for (const { name, sql } of migrationFiles({ indexes: ["input.orderId"] })) writeFileSync(join("migrations", name), sql);
 */
export function migrationFiles({ indexes = [] }: MigrateOptions = {}): readonly MigrationFile[] {
  const numbered = MIGRATIONS.map((migration) =>
    file(`${String(migration.number).padStart(4, "0")}_hephaestus_${migration.name}`, [
      CREATE_RECORD,
      ...migration.statements,
      recordOf(migration),
    ]),
  );
  return [
    ...numbered,
    ...indexes.map((declared) => file(`hephaestus_index_${declared}`, [declaredIndexSql(declared)])),
  ];
}

/** A file of SQL for a folder of migrations. */
export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
}

function file(name: string, statements: readonly string[]): MigrationFile {
  const texts = statements.map((statement) => `${statement};\n`);
  return {
    name: `${name}.sql`,
    sql: `-- Made from @hephaestus/sqlite (src/migrations.ts), not to be edited.\n${texts.join("\n")}`,
  };
}
