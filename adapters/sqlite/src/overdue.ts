import type { Timestamp } from "@hephaestus/core";
import type { Statement } from "./port.ts";
import { escapeText } from "./text.ts";

/** Which rows of an index a sweep asks for. */
export interface OverdueRequest {
  /** Rows whose `wakeAt` is at or before this time. */
  readonly before: Timestamp;
  readonly limit: number;
  /** The workflows whose ended instances are to be forgotten, and how long after their end, in milliseconds. */
  readonly retained?: readonly { readonly workflow: string; readonly retentionMs: number }[];
}

export interface Overdue {
  readonly id: string;
  readonly run: number;
}

/**
 * Reads the rows of all instances that are not at their end, and of those ended only the ones that are older than
 * their retention: no index of times is kept up for a case that is so rare.
 */
export function selectOverdue(ns: string, { before, limit, retained = [] }: OverdueRequest): Statement {
  const workflows = retained.map(({ workflow, retentionMs }) => [escapeText(workflow), retentionMs]);
  return {
    sql: `SELECT id, run FROM (
  SELECT id, run FROM hephaestus_instances INDEXED BY hephaestus_instances_status
  WHERE ns = ?1 AND status IN ('pending', 'running', 'waiting', 'compensating') AND look_at <= ?2
  UNION ALL
  SELECT i.id, i.run FROM json_each(?3) w CROSS JOIN hephaestus_instances i
  ON i.ns = ?1 AND i.workflow = w.value ->> 0 AND i.created <= ?2 - (w.value ->> 1)
  WHERE i.ended IS NOT NULL AND i.look_at <= ?2
) ORDER BY random() LIMIT ?4`,
    params: [ns, before, JSON.stringify(workflows), limit],
  };
}
