import type { Header, Timestamp } from "@hephaestus/core";
import { HEADER_COLUMNS, QUERYABLE_BYTES_MAX, toHeaderRow } from "./header-row.ts";
import type { SqlValue, Statement } from "./port.ts";
import { sources } from "./source.ts";
import { escapeText } from "./text.ts";

/** None of these changes in a run; leaving them alone spares their index rows with each update. */
const FIXED: ReadonlySet<string> = new Set(["id", "run", "workflow", "key", "parent", "created"]);

const MERGED_RESULTS = "json_patch(coalesce(results, '{}'), excluded.results)";
const MERGED_BYTES = `length(CAST(coalesce(excluded.input, input, '') AS BLOB)) + length(CAST(${MERGED_RESULTS} AS BLOB))`;
const MERGED: Readonly<Record<string, string>> = {
  input: "coalesce(excluded.input, input)",
  results: `iif(excluded.results IS NULL OR ${MERGED_BYTES} > ${QUERYABLE_BYTES_MAX}, results, ${MERGED_RESULTS})`,
};

const UPDATES = HEADER_COLUMNS.filter((column) => !FIXED.has(column))
  .map((column) => `${column} = ${MERGED[column] ?? `excluded.${column}`}`)
  .join(", ");

/**
 * Writes header rows, several in a statement.
 *
 * @param guard columns beside the header's (as `h.<column>`), and the condition under which a row is written
 */
export function upsertHeaders(
  ns: string,
  rows: readonly { readonly header: Header; readonly lookAt?: Timestamp; readonly extra?: readonly SqlValue[] }[],
  guard: { readonly columns?: readonly string[]; readonly insertIf?: string; readonly updateIf?: string },
): readonly Statement[] {
  const columns = [...HEADER_COLUMNS, ...(guard.columns ?? [])];
  const values = rows.map(({ header, lookAt, extra = [] }) => [...toHeaderRow(header, lookAt), ...extra]);
  return sources(columns, values).map(({ sql, params }) => ({
    sql: `INSERT INTO hephaestus_instances (ns, ${HEADER_COLUMNS.join(", ")})
SELECT ?1, ${HEADER_COLUMNS.map((column) => `h.${column}`).join(", ")} FROM (${sql}) h
WHERE ${guard.insertIf ?? "true"}
ON CONFLICT (ns, id, run) DO UPDATE SET ${UPDATES}${guard.updateIf ? ` WHERE ${guard.updateIf}` : ""}
RETURNING id, run`,
    params: [ns, ...params],
  }));
}

/**
 * Indexes the tags of rows that were just written, or not: what is indexed is read from the rows as they are then, so
 * that it needs no guard. A tag that a row no longer has may stay in the index; queries ask the row.
 */
export function indexTags(ns: string, headers: readonly Header[]): readonly Statement[] {
  const keys = headers.filter((header) => header.tags.length > 0).map(({ id, run }) => [escapeText(id), run]);
  return sources(["id", "run"], keys).map(({ sql, params }) => ({
    sql: `INSERT INTO hephaestus_tags (ns, tag, created, id, run)
SELECT i.ns, t.value, i.created, i.id, i.run FROM (${sql}) k
CROSS JOIN hephaestus_instances i ON i.ns = ?1 AND i.id = k.id AND i.run = k.run
CROSS JOIN json_each(i.tags) t
WHERE true ON CONFLICT DO NOTHING`,
    params: [ns, ...params],
  }));
}

/** Removes the rows of an instance for which a condition on `i` holds, and their tags. */
export function deleteHeaders(params: readonly SqlValue[], condition: string): readonly [Statement, Statement] {
  const where = `i.ns = ?1 AND i.id = ?2 AND ${condition}`;
  return [
    {
      sql: `DELETE FROM hephaestus_tags WHERE (ns, tag, created, id, run) IN (
SELECT i.ns, t.value, i.created, i.id, i.run FROM hephaestus_instances i, json_each(i.tags) t WHERE ${where})`,
      params,
    },
    { sql: `DELETE FROM hephaestus_instances AS i WHERE ${where}`, params },
  ];
}
