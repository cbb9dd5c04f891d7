import type { DueRequest, Revision } from "@hephaestus/core";
import type { Row, Statement } from "./port.ts";
import { escapeText } from "./text.ts";

/*
 * The pluses keep a database with statistics from planning what is always the same anew: see `fenced` in
 * commit-statements.ts.
 */

/** The records of the latest run after a revision: at least one row if the instance exists, with nulls if none is new. */
export function selectRecords(ns: string, id: string, after: Revision): Statement {
  return {
    sql: `SELECT j.revision, j.run, j.nonce, j.changes FROM (
  SELECT run_start FROM hephaestus_journal WHERE ns = +?1 AND id = +?2 ORDER BY revision DESC LIMIT 1
) latest LEFT JOIN hephaestus_journal j ON j.ns = +?1 AND j.id = +?2 AND j.revision >= max(latest.run_start, ?3)
ORDER BY j.revision`,
    params: [ns, escapeText(id), after + 1],
  };
}

/** The pieces of the changes of the records after a revision. */
export function selectChangesPieces(ns: string, id: string, after: Revision): Statement {
  return {
    sql: `SELECT revision, text FROM hephaestus_pieces
WHERE ns = ?1 AND id = ?2 AND revision > ?3 AND field = 'changes' ORDER BY revision, part`,
    params: [ns, escapeText(id), after],
  };
}

export function selectPayloads(ns: string, id: string, revisions: readonly Revision[]): Statement {
  return {
    sql: `SELECT revision, payloads FROM hephaestus_journal
WHERE ns = +?1 AND id = +?2 AND revision IN (SELECT value FROM json_each(?3))`,
    params: [ns, escapeText(id), JSON.stringify(revisions)],
  };
}

export function selectPayloadPieces(ns: string, id: string, revisions: readonly Revision[]): Statement {
  return {
    sql: `SELECT revision, text FROM hephaestus_pieces
WHERE ns = ?1 AND id = ?2 AND revision IN (SELECT value FROM json_each(?3)) AND field = 'payloads' ORDER BY revision, part`,
    params: [ns, escapeText(id), JSON.stringify(revisions)],
  };
}

/** Puts pieces together again, by revision. */
export function joinPieces(rows: readonly Row[]): ReadonlyMap<Revision, string> {
  const pieces = new Map<Revision, string[]>();
  for (const row of rows) {
    const revision = Number(row.revision);
    const texts = pieces.get(revision);
    if (texts) texts.push(String(row.text));
    else pieces.set(revision, [String(row.text)]);
  }
  return new Map([...pieces].map(([revision, texts]) => [revision, texts.join("")]));
}

export function selectDue(ns: string, { before, limit, definitions }: DueRequest): Statement {
  const known = definitions.map((one) => [escapeText(one.workflow), one.version, escapeText(one.fingerprint)]);
  return {
    sql: `SELECT id, run, wake_at, owner FROM hephaestus_instances
WHERE ns = ?1 AND wake_at <= ?2 AND (workflow, version, fingerprint) IN (
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3)
) ORDER BY wake_at LIMIT ?4`,
    params: [ns, before, JSON.stringify(known), limit],
  };
}
