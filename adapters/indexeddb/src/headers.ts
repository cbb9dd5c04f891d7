import {
  type CheckedFilter,
  comparePositions,
  type DueInstance,
  type DueRequest,
  type Header,
  type InstanceSummary,
  matchesFilter,
  type Page,
  type Position,
  toPage,
} from "@hephaestus/core";
import type { Transaction } from "./connection.ts";
import { allOf } from "./schema.ts";

/** Rows that `query` looks at in one transaction: writers of headers wait for as long. */
const QUERY_BATCH = 1_000;

/** One request per definition; each finds its rows in order, and touches no other. */
export async function findDue(transaction: Transaction<"readonly">, request: DueRequest): Promise<DueInstance[]> {
  const index = transaction.objectStore("headers").index("due");
  const definitions = new Map(
    request.definitions.map((one) => [JSON.stringify([one.workflow, one.version, one.fingerprint]), one]),
  );
  const rows = await Promise.all(
    [...definitions.values()].map(({ workflow, version, fingerprint }) => {
      const definition = [workflow, version, fingerprint];
      return index.getAll(IDBKeyRange.bound(definition, [...definition, request.before]), request.limit);
    }),
  );
  return rows
    .flat()
    .map(({ id, run, wakeAt = 0, owner }) => ({ id, run, wakeAt, ...(owner === undefined ? {} : { owner }) }))
    .sort((one, other) => one.wakeAt - other.wakeAt)
    .slice(0, request.limit);
}

type Read = <T>(use: (transaction: Transaction<"readonly">) => Promise<T>) => Promise<T>;

export async function queryHeaders(filter: CheckedFilter, read: Read): Promise<Page<InstanceSummary>> {
  const { id, limit } = filter;
  if (id !== undefined) {
    const runs = await read((transaction) => transaction.objectStore("headers").getAll(allOf(id)));
    const rows = runs.filter((row) => matchesFilter(row, filter)).sort(comparePositions);
    return toPage(filter.order === "newest" ? rows.reverse() : rows, limit);
  }
  const rows: Header[] = [];
  let { after } = filter;
  do {
    const rest = { ...filter, limit: limit + 1 - rows.length, ...(after ? { after } : {}) };
    const walked = await read((transaction) => walk(transaction, rest));
    rows.push(...walked.rows);
    after = walked.after;
  } while (after && rows.length <= limit);
  return toPage(rows, limit);
}

/** The rows that match among the next ones; `after` is where to go on when there may be more. */
async function walk(
  transaction: Transaction<"readonly">,
  filter: CheckedFilter,
): Promise<{ rows: Header[]; after?: Position }> {
  const rows: Header[] = [];
  const range = rangeOf(filter);
  if (range === undefined) return { rows };
  const index = transaction.objectStore("headers").index("created");
  let cursor = await index.openCursor(range, filter.order === "newest" ? "prev" : "next");
  for (let seen = 1; cursor; seen++) {
    const row = cursor.value;
    if (matchesFilter(row, filter)) rows.push(row);
    if (rows.length === filter.limit || seen === QUERY_BATCH) return { rows, after: row };
    cursor = await cursor.continue();
  }
  return { rows };
}

/**
 * Where the rows can lie, but for the position itself. Undefined when the bounds exclude each other. A key is greater
 * than its own beginning, and an empty array is greater than any text: so `[t]` comes before all rows of the time t,
 * and `[t, []]` after them.
 */
function rangeOf(filter: CheckedFilter): IDBKeyRange | undefined {
  const { after, order, createdAfter = Number.NEGATIVE_INFINITY, createdBefore = Number.POSITIVE_INFINITY } = filter;
  const position = after && [after.createdAt, after.id, after.run];
  let lower: IDBValidKey = [createdAfter, []];
  let upper: IDBValidKey = [createdBefore];
  if (position && order === "oldest" && indexedDB.cmp(position, lower) > 0) lower = position;
  if (position && order === "newest" && indexedDB.cmp(position, upper) < 0) upper = position;
  return indexedDB.cmp(lower, upper) > 0 ? undefined : IDBKeyRange.bound(lower, upper);
}
