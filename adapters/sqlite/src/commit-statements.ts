import type { Commit, Header } from "@hephaestus/core";
import { indexTags, upsertHeaders } from "./header-statements.ts";
import type { SqlValue, Statement } from "./port.ts";
import { BOUND_LENGTH_MAX, sources } from "./source.ts";
import { cutText, escapeText } from "./text.ts";

/** Longer changes stand in pieces, so that they and the payloads fit one row together. In UTF-16 units. */
const CHANGES_LENGTH_MAX = 100_000;

/** Stands in a column whose text is in pieces. No JSON text is empty. */
export const IN_PIECES = "";

/** The fence: `expected` is the newest record there is. A journal's newest record is never removed alone. */
const guard = (row: string) =>
  `${row}.expected = coalesce((SELECT max(revision) FROM hephaestus_journal WHERE ns = ?1 AND id = ${row}.id), 0)`;

const JOURNAL_COLUMNS = ["id", "expected", "run", "nonce", "changes", "payloads"] as const;

/**
 * The statements of a group of commits, for one transaction: ordinarily one for all header rows and one for all
 * journal records. Each asks the guard itself, so that a commit that conflicts leaves no trace; what moves the fence
 * comes last. Of the answers, the last `answers` have a row (id, nonce) for each commit that won.
 */
export function commitStatements(ns: string, commits: readonly Commit[]) {
  const pieces: Statement[] = [];
  const headers: { header: Header; extra: readonly SqlValue[] }[] = [];
  const records = commits.map(({ id, run, expected, nonce, changes, payloads, header }) => {
    const key = [escapeText(id), expected] as const;
    if (header) headers.push({ header, extra: [expected] });
    const kept = (field: string, text: string, lengthMax: number) => {
      if (text.length <= lengthMax) return text;
      pieces.push(...cutText(text, BOUND_LENGTH_MAX).map((piece, part) => insertPiece(ns, key, field, part, piece)));
      return IN_PIECES;
    };
    return [
      ...key,
      run,
      escapeText(nonce),
      kept("changes", JSON.stringify(changes), CHANGES_LENGTH_MAX),
      payloads ? kept("payloads", JSON.stringify(payloads), BOUND_LENGTH_MAX) : null,
    ];
  });
  const journal = sources(JOURNAL_COLUMNS, records).map(({ sql, params }) => ({
    sql: `INSERT INTO hephaestus_journal (ns, id, revision, run, run_start, nonce, changes, payloads)
SELECT ?1, c.id, c.expected + 1, c.run, iif(last.run = c.run, last.run_start, c.expected + 1), c.nonce, c.changes, c.payloads
FROM (${sql}) c LEFT JOIN hephaestus_journal last ON last.ns = ?1 AND last.id = c.id AND last.revision = c.expected
WHERE ${guard("c")}
ON CONFLICT DO NOTHING RETURNING id, nonce`,
    params: [ns, ...params],
  }));
  return {
    statements: [
      ...pieces,
      ...upsertHeaders(ns, headers, { columns: ["expected"], insertIf: guard("h") }),
      ...indexTags(
        ns,
        headers.map(({ header }) => header),
      ),
      ...journal,
    ],
    answers: journal.length,
  };
}

function insertPiece(ns: string, key: readonly [string, number], field: string, part: number, text: string): Statement {
  return {
    sql: `INSERT INTO hephaestus_pieces (ns, id, revision, field, part, text)
SELECT ?1, p.id, p.expected + 1, ?4, ?5, ?6 FROM (SELECT ?2 AS id, ?3 AS expected) p WHERE ${guard("p")}`,
    params: [ns, ...key, field, part, text],
  };
}
