import type { Payloads, RecordName, Revision, StoredRecord } from "@hephaestus/core";
import { unwrap } from "idb";
import type { Transaction } from "./connection.ts";
import { allOf, type JournalRow, PLACEHOLDER } from "./schema.ts";
import { revokeWriters, type Standing } from "./standing.ts";

/** Records that one request of `load` reads. */
const LOAD_BATCH = 256;
/** Revisions that one call of `remove` removes. */
const REMOVE_BATCH = 1_000;

/** A short journal is one request. In a long one the latest run is read from its end, however many came before. */
export async function loadRecords(
  transaction: Transaction<"readonly">,
  id: string,
  after: Revision,
): Promise<readonly StoredRecord[] | undefined> {
  const journal = transaction.objectStore("journal");
  const first = await journal.getAll(IDBKeyRange.bound([id, after + 1], [id, []]), LOAD_BATCH);
  if (first.length === 0) return (await journal.getKey(allOf(id))) ? [] : undefined;
  if (first.length < LOAD_BATCH) return latestRun(first);
  const batches: JournalRow[][] = [];
  let to = (await journal.openKeyCursor(allOf(id), "prev"))?.key[1] ?? 0;
  for (let more = true; more; to -= LOAD_BATCH) {
    const from = Math.max(after + 1, to - LOAD_BATCH + 1);
    const batch = await journal.getAll(IDBKeyRange.bound([id, from], [id, to]));
    batches.unshift(batch);
    more = from > after + 1 && batch.length === LOAD_BATCH && batch[0]?.run === batches.at(-1)?.at(-1)?.run;
  }
  return latestRun(batches.flat());
}

function latestRun(rows: readonly JournalRow[]): StoredRecord[] {
  const run = rows.at(-1)?.run;
  return rows.filter((row) => row.run === run).map(({ payloads: _payloads, ticket: _ticket, ...record }) => record);
}

/** In the order asked for. Revisions that follow one another are read together: each request costs, whatever it finds. */
export async function readPayloads(
  transaction: Transaction<"readonly">,
  id: string,
  revisions: readonly Revision[],
): Promise<Payloads[]> {
  const found = new Map<Revision, Payloads>();
  await Promise.all(
    stretchesOf(revisions).map(async ([from, to]) => {
      const range = IDBKeyRange.bound([id, from], [id, to]);
      const apart = transaction.objectStore("payloads");
      const [rows, keys] = await Promise.all([
        transaction.objectStore("journal").getAll(range),
        apart.getAllKeys(range),
      ]);
      for (const { revision, payloads } of rows) if (payloads) found.set(revision, payloads);
      await Promise.all(
        keys.map(async (key) => {
          found.set(key[1], (await apart.get(key)) ?? {});
        }),
      );
    }),
  );
  return revisions.map((revision) => found.get(revision) ?? {});
}

/** First and last of each stretch without a gap. */
function stretchesOf(revisions: readonly Revision[]): (readonly [Revision, Revision])[] {
  const stretches: [Revision, Revision][] = [];
  for (const revision of [...revisions].sort((one, other) => one - other)) {
    const last = stretches.at(-1);
    if (last && revision <= last[1] + 1) last[1] = revision;
    else stretches.push([revision, revision]);
  }
  return stretches;
}

/**
 * Rows go last, so that whoever finds them after a crash removes the rest.
 * @param record nothing is removed unless it is there
 * @param own of the one that asks, if it has any: it has forgotten what it knew of this instance
 */
export async function removeThrough(
  transaction: Transaction<"readwrite">,
  id: string,
  through: Revision,
  record: RecordName | undefined,
  own?: Standing,
): Promise<{ more: boolean }> {
  if (record && (await transaction.objectStore("journal").get([id, record.revision]))?.nonce !== record.nonce) {
    return { more: false };
  }
  if ((await revokeWriters(transaction, own)).more) return { more: true };
  const stores = unwrap(transaction);
  const journal = transaction.objectStore("journal");
  const [, second] = (through > 1 && (await journal.getKey(IDBKeyRange.bound([id, 2], [id, through])))) || [];
  const to = second === undefined ? through : Math.min(through, second + REMOVE_BATCH - 2);
  for (const name of ["journal", "payloads"]) stores.objectStore(name).delete(IDBKeyRange.bound([id], [id, to]));
  if (to >= 1 && (await journal.getKey(allOf(id)))) stores.objectStore("journal").put(PLACEHOLDER, [id, 1]);
  if (to < through) return { more: true };
  const headers = transaction.objectStore("headers");
  for (const { run, revision } of await headers.getAll(allOf(id))) {
    if (revision <= through) stores.objectStore("headers").delete([id, run]);
  }
  return { more: false };
}
