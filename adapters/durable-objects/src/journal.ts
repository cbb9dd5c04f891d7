import {
  type Commit,
  type CommitResult,
  HephaestusError,
  type Payloads,
  type Revision,
  type Storage,
  type StoredRecord,
} from "@hephaestus/core";

/** What one key of the object holds: a whole commit, so that it costs one row. */
type Row = Omit<StoredRecord, "revision"> & {
  readonly payloads?: Payloads;
  /** The object's name, in the first record of a run and in a tombstone. */
  readonly name?: string;
};

/** The journal of an object, and what else only an object asks of it. */
export interface ObjectJournal extends Storage {
  /** The records of the run that ended before a revision. */
  recordsBefore(revision: Revision): readonly StoredRecord[];
}

const PREFIX = "journal:";
/** Revisions have as many digits as this, so that keys sort as numbers do. */
const DIGITS = 12;

/**
 * The largest value that an object stores, in bytes (https://developers.cloudflare.com/durable-objects/platform/limits/,
 * 2 MB for a key and its value). The local runtime does not hold it up, so that it is checked here.
 */
const VALUE_BYTES_MAX = 2_000_000;

/** How many keys one call of `remove` deletes at most. */
const REMOVE_BATCH = 1_000;

/**
 * The journal of the one instance that an object holds, in the object's own storage: one key a commit, no tables, no
 * migrations. The key is the fence.
 */
export function objectJournal(kv: SyncKvStorage, name?: string): ObjectJournal {
  function write({ run, expected, nonce, changes, payloads }: Commit): CommitResult {
    const last = lastRevision();
    if (last !== expected) return "conflict";
    const isFirst = changes.run !== undefined || changes.status === "deleted";
    const row: Row = {
      run,
      nonce,
      changes,
      ...(payloads ? { payloads } : {}),
      ...(isFirst && name !== undefined ? { name } : {}),
    };
    assertFits(row);
    kv.put(keyOf(expected + 1), row);
    return "ok";
  }

  function lastRevision(): Revision {
    for (const [key] of kv.list({ prefix: PREFIX, reverse: true, limit: 1 })) return revisionOf(key);
    return 0;
  }

  /** From the end, until the run changes: earlier runs cost nothing. */
  function lastRun(options: SyncKvListOptions, after: Revision) {
    const records: StoredRecord[] = [];
    let run: number | undefined;
    for (const [key, row] of kv.list<Row>({ prefix: PREFIX, reverse: true, ...options })) {
      run ??= row.run;
      const revision = revisionOf(key);
      if (row.run !== run || revision <= after) break;
      records.push({ revision, run, nonce: row.nonce, changes: row.changes });
    }
    return run === undefined ? undefined : records.reverse();
  }

  return {
    capabilities: { headers: false, where: false },
    load: async (_id, after = 0) => lastRun({}, after),
    recordsBefore: (revision) => lastRun({ end: keyOf(revision) }, 0) ?? [],
    commit: (commits) => commits.map(write),
    payloads: async (_id, revisions) => revisions.map((revision) => kv.get<Row>(keyOf(revision))?.payloads ?? {}),
    async remove(_id, through) {
      let removed = 0;
      for (const [key] of [...kv.list({ prefix: PREFIX, end: keyOf(through + 1), limit: REMOVE_BATCH + 1 })]) {
        if (removed++ === REMOVE_BATCH) return { more: true };
        kv.delete(key);
      }
      return { more: false };
    },
    due: () => Promise.reject(noRows()),
    query: () => Promise.reject(noRows()),
  };
}

/** The object's name, as its journal has it: in an alarm the platform may not know it. */
export function nameInJournal(kv: SyncKvStorage): string | undefined {
  for (const [, row] of kv.list<Row>({ prefix: PREFIX, limit: 1 })) return row.name;
  return undefined;
}

function keyOf(revision: Revision): string {
  return PREFIX + String(revision).padStart(DIGITS, "0");
}

function revisionOf(key: string): Revision {
  return Number(key.slice(PREFIX.length));
}

function noRows(): HephaestusError {
  return new HephaestusError("NOT_SUPPORTED", "an object holds one instance: lists are answered by the index");
}

/** Strings are stored with one byte a character where all are Latin-1, else with two. */
function assertFits(row: Row): void {
  let bytes = sizeOf(JSON.stringify(row.changes));
  for (const name in row.payloads) bytes += sizeOf(row.payloads[name] as string) + 2 * name.length;
  if (bytes <= VALUE_BYTES_MAX) return;
  const message = `a commit of about ${bytes} bytes does not fit into the ${VALUE_BYTES_MAX} bytes of one value`;
  throw new HephaestusError("LIMIT_EXCEEDED", message, {
    limit: "VALUE_BYTES_MAX",
    most: VALUE_BYTES_MAX,
    found: bytes,
  });
}

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

function sizeOf(text: string): number {
  return text.length > VALUE_BYTES_MAX / 2 || BEYOND_LATIN_1.test(text) ? 2 * text.length : text.length;
}
