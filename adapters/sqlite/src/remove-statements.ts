import type { RecordName, Revision } from "@hephaestus/core";
import { deleteHeaders } from "./header-statements.ts";
import type { Statement } from "./port.ts";
import { escapeText } from "./text.ts";

/** Records that one call removes at most, so that none holds the database for long. */
const REMOVE_BATCH = 1_000;

/**
 * Removes the oldest records first, so that the newest, which is the fence, goes last; and the header rows only with
 * the last record, since a tombstone is what makes a runner come back to finish. The last statement's answer has a
 * row if there is more to remove.
 * @param standing nothing is removed unless this record is there
 */
export function removeStatements(
  ns: string,
  id: string,
  through: Revision,
  standing?: RecordName,
): readonly Statement[] {
  const headers = [ns, escapeText(id), through];
  const params = standing ? [...headers, standing.revision, escapeText(standing.nonce)] : headers;
  const records = "SELECT revision FROM hephaestus_journal WHERE ns = ?1 AND id = ?2 AND revision <= ?3";
  const stands = standing
    ? " AND EXISTS (SELECT 1 FROM hephaestus_journal WHERE ns = ?1 AND id = ?2 AND revision = ?4 AND nonce = ?5)"
    : "";
  const chosen = `ns = ?1 AND id = ?2 AND revision IN (${records}${stands} ORDER BY revision LIMIT ${REMOVE_BATCH})`;
  return [
    { sql: `DELETE FROM hephaestus_pieces WHERE ${chosen}`, params },
    { sql: `DELETE FROM hephaestus_journal WHERE ${chosen}`, params },
    ...deleteHeaders(headers, `i.revision <= ?3 AND NOT EXISTS (${records})`),
    { sql: `${records}${stands} LIMIT 1`, params },
  ];
}
