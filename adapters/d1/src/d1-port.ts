import { HephaestusError } from "@hephaestus/core";
import { type SqlPort, storageError } from "@hephaestus/sqlite";

/** A D1 binding, or a session of one (`database.withSession("first-primary")`). */
export type D1 = Pick<D1Database, "prepare" | "batch">;

/**
 * The port over a D1 database: a batch of D1 is one transaction.
 *
 * @throws HephaestusError OPTION_INVALID when there is none, as where a binding is missing
 * @example
 * await migrate(d1Port(env.DB));
 */
export function d1Port(database: D1): SqlPort {
  if (typeof (database as Partial<D1> | undefined)?.prepare !== "function") {
    const message = "this is no D1 database: is the binding in the wrangler config?";
    throw new HephaestusError("OPTION_INVALID", message, { field: "databases" });
  }
  return {
    async batch(statements) {
      try {
        const prepared = statements.map(({ sql, params }) => database.prepare(sql).bind(...params));
        return (await database.batch<Record<string, string | number | null>>(prepared)).map((answer) => answer.results);
      } catch (error) {
        throw storageError(sqliteCode(error), error);
      }
    },
  };
}

/** D1 has no codes of its own: its errors are texts that end in SQLite's. */
function sqliteCode(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("Exceeded maximum DB size")) return "SQLITE_FULL";
  // The primary code: SQLITE_CORRUPT of SQLITE_CORRUPT_INDEX.
  return /SQLITE_[A-Z]+/.exec(message)?.[0];
}
