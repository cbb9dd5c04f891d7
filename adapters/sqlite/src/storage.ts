import type { Changes, Payloads, Storage, StoredRecord } from "@hephaestus/core";
import { commitStatements, IN_PIECES, statementsOfEach } from "./commit-statements.ts";
import { corrupt } from "./errors.ts";
import {
  joinPieces,
  selectChangesPieces,
  selectDue,
  selectPayloadPieces,
  selectPayloads,
  selectRecords,
} from "./load-statements.ts";
import type { Row, SqlPort } from "./port.ts";
import { queryInstances } from "./query.ts";
import { removeStatements } from "./remove-statements.ts";
import { escapeText, unescapeText } from "./text.ts";

export interface SqlStorageOptions {
  /** Instances of one namespace never see those of another in the same database; "" unless said otherwise. */
  readonly namespace?: string;
  /**
   * Indexes that the database has beside its own: JSON paths that `where` often asks for by equality or `in` within a
   * workflow (`"input.orderId"`), and `"updated"`, for instances by the time of their last change. `migrate` and
   * `migrationFiles`, given the same, make them.
   */
  readonly indexes?: readonly string[];
}

/**
 * A Storage in any SQLite with JSON functions (3.38 or newer) that a port reaches, in tables made by `migrate`.
 *
 * @example
 * await migrate(port);
 * const storage = sqlStorage(port, { namespace: "shop" });
 */
export function sqlStorage(port: SqlPort, { namespace = "", indexes = [] }: SqlStorageOptions = {}): Storage {
  const ns = escapeText(namespace);
  return {
    capabilities: { headers: true, where: true },
    async load(id, after = 0) {
      const records = selectRecords(ns, id, after);
      let [rows = [], pieces = []] = await port.batch([records]);
      // Again with the pieces, in one transaction, so that no record can go between the two.
      if (rows.some((row) => row.changes === IN_PIECES)) {
        [rows = [], pieces = []] = await port.batch([records, selectChangesPieces(ns, id, after)]);
      }
      if (rows.length === 0) return undefined;
      const texts = joinPieces(pieces);
      return rows.filter((row) => row.revision !== null).map((row) => toRecord(id, row, texts));
    },
    async commit(commits) {
      if (commits.length === 0) return [];
      const strict = commits.some((commit) => commit.durability === "strict");
      const toStatements = port.statementsAreCheap ? statementsOfEach : commitStatements;
      const { statements, results } = toStatements(ns, commits);
      return results(await port.batch(statements, strict ? { durability: "strict" } : {}));
    },
    async payloads(id, revisions) {
      const [rows = []] = await port.batch([selectPayloads(ns, id, revisions)]);
      const texts = new Map(rows.map((row) => [Number(row.revision), row.payloads]));
      const apart = revisions.filter((revision) => texts.get(revision) === IN_PIECES);
      if (apart.length > 0) {
        const [pieces = []] = await port.batch([selectPayloadPieces(ns, id, apart)]);
        for (const [revision, text] of joinPieces(pieces)) texts.set(revision, text);
      }
      // What is still empty was removed meanwhile, and is answered as if it had been before.
      return revisions.map((revision) => parse<Payloads>(texts.get(revision) || "{}", id, revision));
    },
    async due(request) {
      if (request.definitions.length === 0) return [];
      const [rows = []] = await port.batch([selectDue(ns, request)]);
      return rows.map((row) => ({
        id: unescapeText(String(row.id)),
        run: Number(row.run),
        wakeAt: Number(row.wake_at),
        ...(row.owner === null ? {} : { owner: unescapeText(String(row.owner)) }),
      }));
    },
    query: (filter) => queryInstances({ port, ns, indexes }, filter),
    async remove(id, through, standing) {
      const answers = await port.batch(removeStatements(ns, id, through, standing));
      return { more: (answers.at(-1)?.length ?? 0) > 0 };
    },
  };
}

function toRecord(id: string, row: Row, pieces: ReadonlyMap<number, string>): StoredRecord {
  const revision = Number(row.revision);
  const text = row.changes === IN_PIECES ? pieces.get(revision) : row.changes;
  return {
    revision,
    run: Number(row.run),
    nonce: unescapeText(String(row.nonce)),
    changes: parse<Changes>(text, id, revision),
  };
}

function parse<T>(text: string | number | null | undefined, id: string, revision: number): T {
  try {
    return JSON.parse(String(text)) as T;
  } catch (error) {
    throw corrupt(`record ${revision} of instance ${JSON.stringify(id)} is not JSON`, error);
  }
}
