import { type CheckedFilter, HephaestusError, LISTED_STATUSES, type RunStatus, unreachable } from "@hephaestus/core";
import { declaredIndexFor } from "./declared-index.ts";
import { HEADER_COLUMNS } from "./header-row.ts";
import type { Statement } from "./port.ts";
import { escapeText } from "./text.ts";
import { whereSql } from "./where-sql.ts";

/** The longest statement that D1 takes, in bytes; ours have one a character. */
const SQL_LENGTH_MAX = 100_000;

/** D1 takes at most 5 terms in a compound SELECT. */
const COMPOUND_TERMS_MAX = 4;

/**
 * Where the rows are found from. Each index lists them in the order of pages, so that a page reads about as many rows as
 * it answers; only the few rows of an id, or of a declared index, are sorted. `all` looks at every row.
 */
type Lead = "id" | "key" | "parent" | "tag" | "status" | "workflow" | "declared" | "all";

function leadOf(filter: CheckedFilter, declared: string | undefined): Lead {
  for (const lead of ["id", "key", "parent", "tag"] as const) if (filter[lead] !== undefined) return lead;
  if (declared !== undefined) return "declared";
  // Most instances have completed; those of another status are fewer than those of a workflow.
  const { workflow, statuses } = filter;
  return workflow !== undefined && (statuses === undefined || statuses.includes("completed")) ? "workflow" : "status";
}

/**
 * Compiles a filter to a statement that answers one row more than the page, in the page's order.
 *
 * All operands come in one JSON text, so that their number does not count against the 100 parameters of D1, integers
 * stay integers, and texts are decoded by the same code as the JSON that they are compared with.
 *
 * @param declared the indexes that were declared beside those that every database has
 * @returns `exact` is false when each row must still be asked with core's `matchesFilter`
 * @throws HephaestusError OPTION_INVALID for more conditions than a statement can hold
 */
export function filterSql(
  ns: string,
  filter: CheckedFilter,
  declared: readonly string[] = [],
): { readonly statement: Statement; readonly exact: boolean } {
  const index = declaredIndexFor(filter, declared);
  const lead = leadOf(filter, index);
  let compiled = compileFrom(lead, filter, index);
  // A merge says each condition for each status. What is too long for that looks into the rows one by one anyway.
  if (lead === "status" && compiled.sql.length > SQL_LENGTH_MAX) compiled = compileFrom("all", filter);
  const { sql, operands, exact } = compiled;
  if (sql.length > SQL_LENGTH_MAX) {
    throw new HephaestusError("OPTION_INVALID", "filter where: too many conditions", { field: "where" });
  }
  return { statement: { sql, params: [ns, JSON.stringify(operands)] }, exact };
}

function compileFrom(lead: Lead, filter: CheckedFilter, index?: string) {
  const operands: unknown[] = [];
  const operand = (value: unknown) => `(?2 ->> ${operands.push(value) - 1})`;
  const { conditions, exact } = conditionsOf(filter, lead, operand);
  // Results are only for conditions, and many times the rest.
  const columns = HEADER_COLUMNS.filter((column) => column !== "results" || !exact).map((column) => `i.${column}`);
  const page = {
    columns: columns.join(", "),
    conditions,
    order: orderOf(filter, lead),
    limit: operand(filter.limit + 1),
  };
  const sql =
    lead === "status"
      ? selectMerged(page, filter.statuses ?? LISTED_STATUSES)
      : selectFrom(tablesOf(lead, index), page);
  return { sql, operands, exact };
}

interface PageSql {
  readonly columns: string;
  readonly conditions: readonly string[];
  readonly order: string;
  readonly limit: string;
}

function conditionsOf(filter: CheckedFilter, lead: Lead, operand: (value: unknown) => string) {
  const conditions = [`${rowOf(lead)}.ns = ?1`];
  let exact = true;
  const free = freeOf(lead);
  const { tag, statuses, after } = filter;
  if (tag !== undefined) {
    const value = operand(tag);
    if (lead === "tag") conditions.push(`t.tag = ${value}`);
    // The row has the last word on its tags.
    conditions.push(`EXISTS (SELECT 1 FROM json_each(i.tags) WHERE value = ${value})`);
  }
  for (const [column, text] of [
    ["i.id", filter.id],
    [`${free}i.key`, filter.key],
    [`${free}i.parent`, filter.parent],
    [`${free}i.workflow`, filter.workflow],
  ] as const) {
    if (text !== undefined) conditions.push(`${column} = ${operand(escapeText(text))}`);
  }
  if (filter.version !== undefined) conditions.push(`i.version = ${operand(filter.version)}`);
  if (lead !== "status") {
    conditions.push("i.status <> 'deleted'");
    if (statuses) conditions.push(`${free}i.status IN (SELECT value FROM json_each(${operand(statuses)}))`);
  }
  for (const [column, operator, time] of [
    [`${free}${rowOf(lead)}.created`, ">", filter.createdAfter],
    [`${free}${rowOf(lead)}.created`, "<", filter.createdBefore],
    [`${free}i.updated`, ">", filter.updatedAfter],
    [`${free}i.updated`, "<", filter.updatedBefore],
  ] as const) {
    if (time !== undefined) conditions.push(`${column} ${operator} ${operand(time)}`);
  }
  if (after) {
    const position = [operand(after.createdAt), operand(escapeText(after.id)), operand(after.run)].join(", ");
    const operator = filter.order === "newest" ? "<" : ">";
    conditions.push(`(${free}${rowOf(lead)}.created, ${rowOf(lead)}.id, ${rowOf(lead)}.run) ${operator} (${position})`);
  }
  for (const { path, condition } of filter.where) {
    const compiled = whereSql(path, condition, operand);
    conditions.push(...compiled.conditions);
    exact &&= compiled.exact;
  }
  return { conditions, exact };
}

/** By tag, the rows come from the index of tags. */
function rowOf(lead: Lead): "t" | "i" {
  return lead === "tag" ? "t" : "i";
}

/** A plus keeps SQLite from an index that serves another condition or the order, which it prefers to an id's rows. */
function freeOf(lead: Lead): "+" | "" {
  return lead === "id" ? "+" : "";
}

function orderOf(filter: CheckedFilter, lead: Lead): string {
  const direction = filter.order === "newest" ? "DESC" : "ASC";
  return ["created", "id", "run"].map((column) => `${freeOf(lead)}${rowOf(lead)}.${column} ${direction}`).join(", ");
}

function tablesOf(lead: Exclude<Lead, "status">, declared: string | undefined): string {
  switch (lead) {
    case "key":
    case "parent":
    case "workflow":
      // Named, because statistics of a database (ANALYZE), or none, can make SQLite think that another one is cheaper.
      return `hephaestus_instances i INDEXED BY hephaestus_instances_${lead}`;
    case "declared":
      return `hephaestus_instances i INDEXED BY ${declared}`;
    case "tag":
      return "hephaestus_tags t CROSS JOIN hephaestus_instances i ON i.ns = t.ns AND i.id = t.id AND i.run = t.run";
    case "id":
    case "all":
      return "hephaestus_instances i";
    default:
      return unreachable(lead);
  }
}

function selectFrom(tables: string, { columns, conditions, order, limit }: PageSql): string {
  return `SELECT ${columns} FROM ${tables} WHERE ${all(conditions)} ORDER BY ${order} LIMIT ${limit}`;
}

/**
 * The rows of each status, merged while they are read: one index finds rare statuses, several of them, and all
 * instances in order.
 */
function selectMerged({ columns, conditions, order, limit }: PageSql, statuses: readonly RunStatus[]): string {
  const from = (status: RunStatus) =>
    `hephaestus_instances i INDEXED BY hephaestus_instances_status WHERE ${all([`i.status = '${status}'`, ...conditions])}`;
  const [only, ...others] = statuses;
  if (only === undefined)
    return `SELECT ${columns} FROM hephaestus_instances i WHERE ${all(conditions)} AND false LIMIT ${limit}`;
  if (others.length === 0) return `SELECT ${columns} FROM ${from(only)} ORDER BY ${order} LIMIT ${limit}`;
  const rows = union(statuses.map((status) => `SELECT i.created, i.id, i.run FROM ${from(status)}`));
  const merged = order.replaceAll("i.", "k.");
  return `SELECT ${columns} FROM (SELECT * FROM (${rows}) k ORDER BY ${merged} LIMIT ${limit}) k
CROSS JOIN hephaestus_instances i ON i.ns = ?1 AND i.id = k.id AND i.run = k.run ORDER BY ${merged}`;
}

/** All rows of any number of SELECTs. */
function union(selects: readonly string[]): string {
  if (selects.length <= COMPOUND_TERMS_MAX) return selects.join("\nUNION ALL ");
  const groups: string[] = [];
  for (let start = 0; start < selects.length; start += COMPOUND_TERMS_MAX) {
    groups.push(`SELECT * FROM (${union(selects.slice(start, start + COMPOUND_TERMS_MAX))})`);
  }
  return union(groups);
}

/** A conjunction as a balanced tree: a chain of more than 100 would be too deep for D1. */
function all(conditions: readonly string[]): string {
  if (conditions.length <= 8) return conditions.join(" AND ");
  const middle = conditions.length >> 1;
  return `(${all(conditions.slice(0, middle))}) AND (${all(conditions.slice(middle))})`;
}
