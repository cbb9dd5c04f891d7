import type { Commit, CommitResult } from "@hephaestus/core";
import { HEADER_COLUMNS, toHeaderRow } from "./header-row.ts";
import { indexTags, upsertHeaders } from "./header-statements.ts";
import type { Row, SqlValue, Statement } from "./port.ts";
import { BOUND_LENGTH_MAX, type FedRows, fedStatement } from "./source.ts";
import { cutText, escapeText } from "./text.ts";

/** Longer changes stand in pieces, so that they and the payloads fit one row together. In UTF-16 units. */
const CHANGES_LENGTH_MAX = 100_000;

/** Stands in a column whose text is in pieces. No JSON text is empty. */
export const IN_PIECES = "";

/** The newest record there is: that of the greatest revision, in a SELECT from a journal. 0 where there is none. */
const NEWEST = "coalesce(max(revision), 0)";

/**
 * The fence: an expression that is NULL unless `expected` is the newest record. Standing for a column that must not be
 * NULL, it has an INSERT OR IGNORE leave the row out. A journal's newest record is never removed alone.
 *
 * The pluses are for databases with statistics, such as D1: these would plan the statement anew, which costs more than
 * to run it, whenever another value is bound to what stands bare beside a column.
 */
function fenced({ column }: FedRows, expression: string): string {
  return `(SELECT iif(${NEWEST} = ${column("expected")}, ${expression}, NULL)
FROM hephaestus_journal WHERE ns = +?1 AND id = +${column("id")})`;
}

const insertRecords = fedStatement(["id", "expected", "run", "nonce", "changes", "payloads"], (rows) => {
  const { column, values } = rows;
  const next = `${column("expected")} + 1`;
  // The run of the newest record goes on, or another one begins.
  const runStart = fenced(rows, `iif(run = ${column("run")}, run_start, ${next})`);
  return `INSERT OR IGNORE INTO hephaestus_journal (ns, id, revision, run, run_start, nonce, changes, payloads)
${values(["?1", column("id"), next, column("run"), runStart, column("nonce"), column("changes"), column("payloads")])}
RETURNING id, nonce`;
});

const writeHeaders = fedStatement([...HEADER_COLUMNS, "expected"], (rows) =>
  upsertHeaders(rows, { revision: fenced(rows, rows.column("revision")) }),
);

const insertPieces = fedStatement(["id", "expected", "field", "part", "text"], (rows) => {
  const { column, values } = rows;
  const revision = fenced(rows, `${column("expected")} + 1`);
  return `INSERT OR IGNORE INTO hephaestus_pieces (ns, id, revision, field, part, text)
${values(["?1", column("id"), revision, column("field"), column("part"), column("text")])}`;
});

/** The statements of some commits, for one transaction, and what their answers say. */
interface CommitStatements {
  readonly statements: readonly Statement[];
  /** @param answers of these statements */
  results(answers: readonly (readonly Row[])[]): readonly CommitResult[];
}

/** A commit as rows of the tables. */
interface CommitRows {
  readonly pieces: readonly Statement[];
  readonly header: readonly SqlValue[] | undefined;
  readonly record: readonly SqlValue[];
}

function rowsOf(ns: string, { id, run, expected, nonce, changes, payloads, header }: Commit): CommitRows {
  const pieces: Statement[] = [];
  const key = escapeText(id);
  const kept = (field: string, text: string, lengthMax: number) => {
    if (text.length <= lengthMax) return text;
    const texts = cutText(text, BOUND_LENGTH_MAX);
    pieces.push(...texts.flatMap((piece, part) => insertPieces(ns, [[key, expected, field, part, piece]])));
    return IN_PIECES;
  };
  const changesText = kept("changes", JSON.stringify(changes), CHANGES_LENGTH_MAX);
  const payloadsText = payloads ? kept("payloads", JSON.stringify(payloads), BOUND_LENGTH_MAX) : null;
  return {
    pieces,
    header: header && [...toHeaderRow(header), expected],
    record: [key, expected, run, escapeText(nonce), changesText, payloadsText],
  };
}

/**
 * The statements of a group of commits: ordinarily one for all header rows and one for all journal records. Each asks
 * for the fence itself, so that a commit that conflicts leaves no trace; what moves it comes last, and answers a row for
 * each commit that won.
 */
export function commitStatements(ns: string, commits: readonly Commit[]): CommitStatements {
  const rows = commits.map((commit) => rowsOf(ns, commit));
  const headers = commits.flatMap(({ header }) => header ?? []);
  const headerRows = rows.flatMap(({ header }) => (header ? [header] : []));
  const journal = insertRecords(
    ns,
    rows.map(({ record }) => record),
  );
  return {
    statements: [
      ...rows.flatMap(({ pieces }) => pieces),
      ...writeHeaders(ns, headerRows),
      ...indexTags(ns, headers),
      ...journal,
    ],
    results(answers) {
      const nameOf = (id: unknown, nonce: unknown) => `${nonce}\0${id}`;
      const won = new Set(
        answers
          .slice(-journal.length)
          .flat()
          .map(({ id, nonce }) => nameOf(id, nonce)),
      );
      return rows.map(({ record: [id, , , nonce] }) => (won.has(nameOf(id, nonce)) ? "ok" : "conflict"));
    },
  };
}

/** The same, with statements of its own for each commit. */
export function statementsOfEach(ns: string, commits: readonly Commit[]): CommitStatements {
  const statements: Statement[] = [];
  const last = commits.map((commit) => {
    const { pieces, header, record } = rowsOf(ns, commit);
    if (pieces.length > 0) statements.push(...pieces);
    if (header) statements.push(...writeHeaders(ns, [header]));
    if (commit.header && commit.header.tags.length > 0) statements.push(...indexTags(ns, [commit.header]));
    return statements.push(...insertRecords(ns, [record])) - 1;
  });
  return {
    statements,
    results: (answers) => last.map((index) => (answers[index]?.length === 1 ? "ok" : "conflict")),
  };
}
