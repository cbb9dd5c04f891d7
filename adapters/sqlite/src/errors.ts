import { type ErrorCode, HephaestusError } from "@hephaestus/core";

/** SQLite's primary result codes that do not just mean "not now". */
const CODES: Readonly<Record<string, ErrorCode>> = {
  SQLITE_FULL: "STORAGE_FULL",
  SQLITE_CORRUPT: "STORAGE_CORRUPT",
  SQLITE_NOTADB: "STORAGE_CORRUPT",
  SQLITE_FORMAT: "STORAGE_CORRUPT",
  SQLITE_TOOBIG: "LIMIT_EXCEEDED",
};

const EXPLANATIONS: Readonly<Record<string, string>> = {
  STORAGE_UNAVAILABLE: "the database did not take the statements",
  STORAGE_FULL: "the database is full",
  STORAGE_CORRUPT: "the database cannot be read",
  LIMIT_EXCEEDED: "a value is larger than the database takes",
};

/**
 * The error that a driver throws for what its database threw.
 *
 * @param sqliteCode SQLite's primary result code by name, such as `SQLITE_BUSY`; undefined when there is none
 */
export function storageError(sqliteCode: string | undefined, cause: unknown): HephaestusError {
  if (cause instanceof HephaestusError) return cause;
  const code = CODES[sqliteCode ?? ""] ?? "STORAGE_UNAVAILABLE";
  const message = cause instanceof Error ? cause.message : String(cause);
  return new HephaestusError(code, `${EXPLANATIONS[code]}: ${message}`, sqliteCode ? { sqliteCode } : {}, { cause });
}

/** For stored text that is not what was written. */
export function corrupt(what: string, cause?: unknown): HephaestusError {
  return new HephaestusError("STORAGE_CORRUPT", `the database cannot be read: ${what}`, {}, { cause });
}
