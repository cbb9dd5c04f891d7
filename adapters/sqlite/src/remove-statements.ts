import type { Revision } from "@hephaestus/core";
import { deleteHeaders } from "./header-statements.ts";
import type { Statement } from "./port.ts";
import { escapeText } from "./text.ts";

/** Records that one call removes at most, so that none holds the database for long. */
const REMOVE_BATCH = 1_000;

/**
 * Removes the oldest records first, so that the newest, which is the fence, goes last; and the header rows only with
 * the last record, since a tombstone is what makes a runner come back to finish. The last statement's answer has a
 * row if there is more to remove.
 */
export function removeStatements(ns: string, id: string, through: Revision): readonly Statement[] {
  const params = [ns, escapeText(id), through];
  const records =
    "SELECT revision FROM hephaestus_journal WHERE ns = ?1 AND id = ?2 AND revision <= ?3 ORDER BY revision";
  const chosen = `ns = ?1 AND id = ?2 AND revision IN (${records} LIMIT ${REMOVE_BATCH})`;
  return [
    { sql: `DELETE FROM hephaestus_pieces WHERE ${chosen}`, params },
    { sql: `DELETE FROM hephaestus_journal WHERE ${chosen}`, params },
    ...deleteHeaders(params, `i.revision <= ?3 AND NOT EXISTS (${records})`),
    { sql: `${records} LIMIT 1`, params },
  ];
}
