import type { Header, InstanceFilter, InstanceSummary, Page } from "@hephaestus/core";
import { HEADER_COLUMNS, toHeaderRow } from "./header-row.ts";
import { deleteHeaders, indexTags, upsertHeaders } from "./header-statements.ts";
import { type Overdue, type OverdueRequest, selectOverdue } from "./overdue.ts";
import type { SqlPort, SqlValue } from "./port.ts";
import { queryInstances } from "./query.ts";
import { fedStatement } from "./source.ts";
import type { SqlStorageOptions } from "./storage.ts";
import { escapeText, unescapeText } from "./text.ts";

/** Header rows without a journal: what instances that live elsewhere are found by. */
export interface InstanceIndex {
  /**
   * Writes each row unless the one that is there has the same or a newer revision, in one transaction. A row keeps
   * the input and results that it has when a newer header does not repeat them. An older header adds nothing, not
   * even an input that the row lacks: send what must arrive with each put until one has returned.
   *
   * @returns the rows that were written
   */
  put(headers: readonly Header[]): Promise<readonly { readonly id: string; readonly run: number }[]>;
  /** Removes the rows of a run and of those before it. A put that comes later makes one again. */
  drop(id: string, run: number): Promise<void>;
  /** As a Storage's `query`. */
  query(filter: InstanceFilter): Promise<Page<InstanceSummary>>;
  /** Instances whose `wakeAt` went by without a newer row, some of them at random if there are more than the limit. */
  overdue(request: OverdueRequest): Promise<readonly Overdue[]>;
}

/**
 * An index over a port, in tables made by `migrate`.
 *
 * @throws HephaestusError (each method) as the port does; `query` also OPTION_INVALID
 * @example
 * const index = instanceIndex(port, { namespace: "shop" });
 * await index.put([header]);
 * await index.query({ status: "failed", where: { "input.orderId": 123 } });
 */
export function instanceIndex(port: SqlPort, { namespace = "", indexes = [] }: SqlStorageOptions = {}): InstanceIndex {
  const ns = escapeText(namespace);
  return {
    async put(headers) {
      if (headers.length === 0) return [];
      const rows = putHeaders(ns, headers.map(withLookAt));
      const answers = await port.batch([...rows, ...indexTags(ns, headers)]);
      return answers
        .slice(0, rows.length)
        .flat()
        .map((row) => ({ id: unescapeText(String(row.id)), run: Number(row.run) }));
    },
    async drop(id, run) {
      await port.batch(deleteHeaders([ns, escapeText(id), run], "i.run <= ?3"));
    },
    query: (filter) => queryInstances({ port, ns, indexes }, filter),
    async overdue(request) {
      const [rows = []] = await port.batch([selectOverdue(ns, request)]);
      return rows.map((row) => ({ id: unescapeText(String(row.id)), run: Number(row.run) }));
    },
  };
}

const putHeaders = fedStatement(
  HEADER_COLUMNS,
  (rows) => `${upsertHeaders(rows)} WHERE excluded.revision > hephaestus_instances.revision RETURNING id, run`,
);

/** Nobody drives by these rows: what wakes an instance is elsewhere, and the index of `wake_at` would cost a row each time. */
function withLookAt({ wakeAt, ...header }: Header): readonly SqlValue[] {
  return toHeaderRow(header, wakeAt);
}
