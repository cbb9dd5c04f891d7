import { type Header, type Json, type RunStatus, type StoredError, type Timestamp, utf8Length } from "@hephaestus/core";
import { corrupt } from "./errors.ts";
import type { Row, SqlValue } from "./port.ts";
import { escapeText, unescapeText } from "./text.ts";

/** The columns of a header row in the order of `toHeaderRow`, without the namespace. */
export const HEADER_COLUMNS = [
  "id",
  "run",
  "revision",
  "workflow",
  "version",
  "fingerprint",
  "status",
  "key",
  "parent",
  "tags",
  "metadata",
  "current",
  "created",
  "updated",
  "ended",
  "error",
  "owner",
  "wake_at",
  "look_at",
  "input",
  "results",
] as const;

/**
 * What one row may hold of input and results, in bytes; the limit of D1 is 2 MB for a whole row. What goes beyond is
 * left out of the row, and so cannot be queried; the journal has it all the same.
 */
export const QUERYABLE_BYTES_MAX = 1_900_000;

/** @param lookAt when a sweep is to look at an instance that wakes by itself */
export function toHeaderRow(header: Header, lookAt?: Timestamp): readonly SqlValue[] {
  const results = header.results && wrapResults(header.results);
  const input = header.input ?? null;
  return [
    escapeText(header.id),
    header.run,
    header.revision,
    escapeText(header.workflow),
    header.version,
    escapeText(header.fingerprint),
    header.status,
    textOrNull(header.key),
    textOrNull(header.parent),
    JSON.stringify(header.tags),
    JSON.stringify(header.metadata),
    JSON.stringify(header.current),
    header.createdAt,
    header.updatedAt,
    header.endedAt ?? null,
    header.error ? JSON.stringify(header.error) : null,
    textOrNull(header.owner),
    header.wakeAt ?? null,
    lookAt ?? null,
    fits(input) ? input : null,
    results && fits(input, results) ? results : null,
  ];
}

/** Answers it without `results`, which only conditions look into. */
export function fromHeaderRow(row: Row): Header {
  const text = (column: string) => unescapeText(String(row[column]));
  return {
    id: text("id"),
    run: Number(row.run),
    revision: Number(row.revision),
    workflow: text("workflow"),
    version: Number(row.version),
    fingerprint: text("fingerprint"),
    status: String(row.status) as RunStatus,
    ...(row.key === null ? {} : { key: text("key") }),
    ...(row.parent === null ? {} : { parent: text("parent") }),
    tags: parse<readonly string[]>(row, "tags"),
    metadata: parse<Record<string, Json>>(row, "metadata"),
    current: parse<readonly string[]>(row, "current"),
    createdAt: Number(row.created),
    updatedAt: Number(row.updated),
    ...(row.ended === null ? {} : { endedAt: Number(row.ended) }),
    ...(row.error === null ? {} : { error: parse<StoredError>(row, "error") }),
    ...(row.owner === null ? {} : { owner: text("owner") }),
    ...(row.wake_at === null ? {} : { wakeAt: Number(row.wake_at) }),
    ...(row.input === null ? {} : { input: String(row.input) }),
  };
}

/** The results of a row as a header has them: by step, as JSON texts. */
export function resultsOf(row: Row): Readonly<Record<string, string>> {
  if (row.results === null) return {};
  const results = parse<Record<string, readonly [Json]>>(row, "results");
  return Object.fromEntries(Object.entries(results).map(([step, [result]]) => [step, JSON.stringify(result)]));
}

/**
 * Each result stands in an array of one, because then `json_patch` merges results by step and nothing else: it takes
 * arrays as they are, nulls included, while bare it would drop a null result and mix the fields of two objects.
 */
function wrapResults(results: Readonly<Record<string, string>>): string {
  return `{${Object.entries(results)
    .map(([step, text]) => `${JSON.stringify(step)}:[${text}]`)
    .join(",")}}`;
}

function fits(...texts: readonly (string | null)[]): boolean {
  const units = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  if (units * 3 <= QUERYABLE_BYTES_MAX) return true;
  return texts.reduce((sum, text) => sum + utf8Length(text ?? ""), 0) <= QUERYABLE_BYTES_MAX;
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : escapeText(text);
}

function parse<T>(row: Row, column: string): T {
  try {
    return JSON.parse(String(row[column])) as T;
  } catch (error) {
    throw corrupt(`column ${column} of instance ${String(row.id)} is not JSON`, error);
  }
}
