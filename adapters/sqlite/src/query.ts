import {
  type CheckedFilter,
  checkFilter,
  type Header,
  type InstanceFilter,
  type InstanceSummary,
  matchesFilter,
  type Page,
  type Position,
  toPage,
} from "@hephaestus/core";
import { filterSql } from "./filter-sql.ts";
import { fromHeaderRow, resultsOf } from "./header-row.ts";
import type { SqlPort } from "./port.ts";

/** What a query must know of its database. */
export interface QueryContext {
  readonly port: SqlPort;
  /** Escaped. */
  readonly ns: string;
  /** The declared indexes. */
  readonly indexes?: readonly string[];
}

/**
 * One page of the header rows that match, for a Storage and for an index.
 *
 * @throws HephaestusError OPTION_INVALID with `details.field`, or as the port does
 */
export async function queryInstances(
  { port, ns, indexes = [] }: QueryContext,
  filter: InstanceFilter,
): Promise<Page<InstanceSummary>> {
  const { after: start, ...checked } = checkFilter(filter);
  const found: Header[] = [];
  for (let after = start; ; ) {
    const { statement, exact } = filterSql(ns, withPosition(checked, after), indexes);
    const [rows = []] = await port.batch([statement]);
    const headers = rows.map(fromHeaderRow);
    if (exact) return toPage(headers, checked.limit);
    // The database answered too many: the rest of the condition is asked here, until the page is full.
    found.push(
      ...headers.filter((header, index) =>
        matchesFilter({ ...header, results: resultsOf(rows[index] ?? {}) }, checked as CheckedFilter),
      ),
    );
    after = headers.at(-1);
    if (found.length > checked.limit || headers.length <= checked.limit) return toPage(found, checked.limit);
  }
}

function withPosition(filter: Omit<CheckedFilter, "after">, after: Position | undefined): CheckedFilter {
  return after ? { ...filter, after } : filter;
}
