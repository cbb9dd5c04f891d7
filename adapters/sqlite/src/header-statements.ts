import type { Header } from "@hephaestus/core";
import { HEADER_COLUMNS, QUERYABLE_BYTES_MAX } from "./header-row.ts";
import type { SqlValue, Statement } from "./port.ts";
import { type FedRows, fedStatement } from "./source.ts";
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
 * The text that writes header rows, new ones or over those that are there.
 *
 * @param instead expressions in place of columns of the rows; a row in which `revision` is NULL is left out
 */
export function upsertHeaders({ column, values }: FedRows, instead: Readonly<Record<string, string>> = {}): string {
  return `INSERT OR IGNORE INTO hephaestus_instances (ns, ${HEADER_COLUMNS.join(", ")})
${values(["?1", ...HEADER_COLUMNS.map((name) => instead[name] ?? column(name))])}
ON CONFLICT (ns, id, run) DO UPDATE SET ${UPDATES}`;
}

/**
 * Indexes the tags of rows that were just written, or not: what is indexed is read from the rows as they are then, so
 * that it needs no guard. A tag that a row no longer has may stay in the index; queries ask the row.
 */
export function indexTags(ns: string, headers: readonly Header[]): readonly Statement[] {
  const tagged = headers.filter(({ tags }) => tags.length > 0);
  return insertTags(
    ns,
    tagged.map(({ id, run }) => [escapeText(id), run]),
  );
}

const insertTags = fedStatement(
  ["id", "run"],
  ({ table }) => `INSERT INTO hephaestus_tags (ns, tag, created, id, run)
SELECT i.ns, t.value, i.created, i.id, i.run FROM ${table} k
CROSS JOIN hephaestus_instances i ON i.ns = ?1 AND i.id = k.id AND i.run = k.run
CROSS JOIN json_each(i.tags) t
WHERE true ON CONFLICT DO NOTHING`,
);

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
