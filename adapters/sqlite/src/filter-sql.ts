import { type CheckedFilter, HephaestusError } from "@hephaestus/core";
import { HEADER_COLUMNS } from "./header-row.ts";
import type { Statement } from "./port.ts";
import { escapeText } from "./text.ts";
import { whereSql } from "./where-sql.ts";

/** The longest statement that D1 takes, in bytes; ours have one a character. */
const SQL_LENGTH_MAX = 100_000;

/**
 * Compiles a filter to a statement that answers one row more than the page, in the page's order.
 *
 * All operands come in one JSON text, so that their number does not count against the 100 parameters of D1, integers
 * stay integers, and texts are decoded by the same code as the JSON that they are compared with.
 *
 * @returns `exact` is false when each row must still be asked with core's `matchesFilter`
 * @throws HephaestusError OPTION_INVALID for more conditions than a statement can hold
 */
export function filterSql(
  ns: string,
  filter: CheckedFilter,
): { readonly statement: Statement; readonly exact: boolean } {
  const operands: unknown[] = [];
  const operand = (value: unknown) => `(?2 ->> ${operands.push(value) - 1})`;
  const conditions = ["i.status <> 'deleted'"];
  let exact = true;

  const { tag, after } = filter;
  // By tag, the rows come from the index of tags; an id has so few rows that it comes first.
  const byTag = tag !== undefined && filter.id === undefined;
  const lead = byTag ? "t" : "i";
  // A plus keeps SQLite from an index that serves another condition or the order, which it prefers to an id's rows.
  const free = filter.id === undefined ? "" : "+";
  conditions.push(`${lead}.ns = ?1`);
  if (tag !== undefined) {
    const value = operand(tag);
    if (byTag) conditions.push(`t.tag = ${value}`);
    conditions.push(`EXISTS (SELECT 1 FROM json_each(i.tags) WHERE value = ${value})`);
  }
  for (const [column, text] of [
    ["i.id", filter.id],
    ["i.key", filter.key],
    [`${free}i.workflow`, filter.workflow],
  ] as const) {
    if (text !== undefined) conditions.push(`${column} = ${operand(escapeText(text))}`);
  }
  if (filter.version !== undefined) conditions.push(`i.version = ${operand(filter.version)}`);
  const [only, ...more] = filter.statuses ?? [];
  if (only !== undefined && more.length === 0) conditions.push(`${free}i.status = ${operand(only)}`);
  else if (filter.statuses) {
    conditions.push(`${free}i.status IN (SELECT value FROM json_each(${operand(filter.statuses)}))`);
  }
  for (const [column, operator, time] of [
    [`${free}${lead}.created`, ">", filter.createdAfter],
    [`${free}${lead}.created`, "<", filter.createdBefore],
    ["i.updated", ">", filter.updatedAfter],
    ["i.updated", "<", filter.updatedBefore],
  ] as const) {
    if (time !== undefined) conditions.push(`${column} ${operator} ${operand(time)}`);
  }
  if (after) {
    const position = [operand(after.createdAt), operand(escapeText(after.id)), operand(after.run)].join(", ");
    const operator = filter.order === "newest" ? "<" : ">";
    conditions.push(`(${free}${lead}.created, ${lead}.id, ${lead}.run) ${operator} (${position})`);
  }
  for (const { path, condition } of filter.where) {
    const compiled = whereSql(path, condition, operand);
    conditions.push(...compiled.conditions);
    exact &&= compiled.exact;
  }

  const direction = filter.order === "newest" ? "DESC" : "ASC";
  const order = ["created", "id", "run"].map((column) => `${free}${lead}.${column} ${direction}`).join(", ");
  const limit = operand(filter.limit + 1);
  const tables = byTag
    ? "hephaestus_tags t CROSS JOIN hephaestus_instances i ON i.ns = t.ns AND i.id = t.id AND i.run = t.run"
    : "hephaestus_instances i";
  // Results are only for conditions, and many times the rest.
  const columns = HEADER_COLUMNS.filter((column) => column !== "results" || !exact).map((column) => `i.${column}`);
  const sql = `SELECT ${columns.join(", ")} FROM ${tables} WHERE ${all(conditions)} ORDER BY ${order} LIMIT ${limit}`;
  if (sql.length > SQL_LENGTH_MAX) {
    throw new HephaestusError("OPTION_INVALID", "filter where: too many conditions", { field: "where" });
  }
  return { statement: { sql, params: [ns, JSON.stringify(operands)] }, exact };
}

/** A conjunction as a balanced tree: a chain of more than 100 would be too deep for D1. */
function all(conditions: readonly string[]): string {
  if (conditions.length <= 8) return conditions.join(" AND ");
  const middle = conditions.length >> 1;
  return `(${all(conditions.slice(0, middle))}) AND (${all(conditions.slice(middle))})`;
}
