import {
  type Changes,
  type Commit,
  type CommitResult,
  HephaestusError,
  type Payloads,
  type Revision,
  type Storage,
  type StoredRecord,
} from "@hephaestus/core";
import type { Turn } from "./turn.ts";

/** A commit as it is stored. */
type Entry = Omit<StoredRecord, "revision"> & { readonly payloads?: Payloads };

/** What one key of the object holds: the last commit of a turn and those before it, so that a turn costs one row. */
type Row = Entry & {
  readonly before?: readonly Entry[];
  /** The object's name, in the first row of a run and in a tombstone. */
  readonly name?: string;
};

/** The journal of an object, and what else only an object asks of it. */
export interface ObjectJournal extends Storage {
  commit(commits: readonly Commit[]): readonly CommitResult[];
  /** The records of the run that ended before a revision. */
  recordsBefore(revision: Revision): readonly StoredRecord[];
  /** As `commit`, of what may be lost with the object: it is stored with what comes next, or when all is written. */
  commitLazily(commit: Commit): CommitResult;
  /** Writes what has been put off to the end of the turn, or all that was. */
  write(all: boolean): void;
}

const PREFIX = "journal:";
/** Revisions have as many digits as this, so that keys sort as numbers do. */
const DIGITS = 12;

/**
 * The largest value that an object stores, in bytes (https://developers.cloudflare.com/durable-objects/platform/limits/,
 * 2 MB for a key and its value). The local runtime does not hold it up, so that it is checked here.
 */
const VALUE_BYTES_MAX = 2_000_000;

/** How much one row of several commits holds at most, in bytes: reading a payload of one reads all of them. */
const ROW_BYTES_MAX = 256_000;

/** How many keys one call of `remove` deletes at most. */
const REMOVE_BATCH = 1_000;

/**
 * The journal of the one instance that an object holds, in the object's own storage: one key a turn, no tables, no
 * migrations. The object is its only writer, so that it need not look up what is there before each commit.
 * @param turn lets the commits that follow the first write of a turn share one row; without it each is written at once
 */
export function objectJournal(kv: SyncKvStorage, name?: string, turn?: Turn): ObjectJournal {
  /** The last revision; undefined where it is not known. */
  let last: Revision | undefined;
  /** Commits that are not written yet, and about how large they are. */
  let late: Entry[] = [];
  let lateBytes = 0;
  /** Whether one of them must be stored in this turn. */
  let isUrgent = false;

  function commit({ run, expected, nonce, changes, payloads }: Commit, mayBeLost: boolean): CommitResult {
    last ??= lastRevision();
    if (last !== expected) return "conflict";
    const entry: Entry = { run, nonce, changes, ...(payloads ? { payloads } : {}) };
    const bytes = checkedBytes(entry);
    if (isFirst(entry) || lateBytes + bytes > ROW_BYTES_MAX) writeLate();
    late.push(entry);
    lateBytes += bytes;
    last = expected + 1;
    if (mayBeLost) return "ok";
    isUrgent = true;
    if (turn?.isHeld) turn.goOn();
    else write();
    return "ok";
  }

  /** Whoever reads sees all of it. */
  function writeLate(): void {
    if (late.length > 0) turn?.write();
  }

  /** One row for all that is not written yet. Only a row's first commit can be the first of a run. */
  function write(): void {
    const [first] = late;
    const end = late.pop();
    if (first === undefined || end === undefined || last === undefined) return;
    const row: Row = {
      ...end,
      ...(late.length > 0 ? { before: late } : {}),
      ...(name !== undefined && isFirst(first) ? { name } : {}),
    };
    const key = keyOf(last);
    late = [];
    lateBytes = 0;
    isUrgent = false;
    // What is stored is known again once this has been.
    last = undefined;
    kv.put(key, row);
    last = revisionOf(key);
    turn?.written();
  }

  function lastRevision(): Revision {
    for (const [key] of kv.list({ prefix: PREFIX, reverse: true, limit: 1 })) return revisionOf(key);
    return 0;
  }

  /** The records of the run that ends a range of keys, after a revision: earlier runs cost nothing. */
  function lastRun(options: SyncKvListOptions, after: Revision) {
    const records: StoredRecord[] = [];
    let end: { readonly revision: Revision; readonly run: number } | undefined;
    for (const [key, row] of kv.list<Row>({ prefix: PREFIX, reverse: true, ...options })) {
      end ??= { revision: revisionOf(key), run: row.run };
      if (row.run !== end.run || revisionOf(key) <= after) break;
      for (const [revision, { run, nonce, changes }] of entriesOf(key, row).reverse()) {
        if (revision > after) records.push({ revision, run, nonce, changes });
      }
    }
    return { end: end?.revision, records: records.reverse() };
  }

  /** A record, and those that share its row. */
  function* sharingRow(revision: Revision): Generator<[Revision, Entry]> {
    for (const [key, row] of kv.list<Row>({ prefix: PREFIX, start: keyOf(revision), limit: 1 })) {
      yield* entriesOf(key, row);
    }
  }

  function nonceAt(revision: Revision): string | undefined {
    for (const [at, { nonce }] of sharingRow(revision)) if (at === revision) return nonce;
    return undefined;
  }

  return {
    capabilities: { headers: false, where: false },
    async load(_id, after = 0) {
      writeLate();
      const { end, records } = lastRun({}, after);
      last = end ?? 0;
      return end === undefined ? undefined : records;
    },
    recordsBefore(revision) {
      writeLate();
      return lastRun({ end: keyOf(revision) }, 0).records;
    },
    commit: (commits) => commits.map((one) => commit(one, false)),
    commitLazily: (one) => commit(one, turn !== undefined),
    write(all) {
      if (all || isUrgent) write();
    },
    async payloads(_id, revisions) {
      writeLate();
      const found = new Map<Revision, Payloads>();
      for (const revision of revisions) {
        if (!found.has(revision)) for (const [at, { payloads = {} }] of sharingRow(revision)) found.set(at, payloads);
      }
      return revisions.map((revision) => found.get(revision) ?? {});
    },
    async remove(_id, through, standing) {
      writeLate();
      if (standing && nonceAt(standing.revision) !== standing.nonce) return { more: false };
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

/** Whether nothing follows from a commit yet but that steps are done: nothing begins by it, and nobody asked for it. */
export function isOnlyResults({ at: _at, steps = {}, ...more }: Changes): boolean {
  return Object.keys(more).length === 0 && Object.values(steps).every(({ status }) => status === "completed");
}

/** A run and a tombstone begin a row: rows are removed as a whole, and never hold two runs. */
function isFirst({ changes }: Entry): boolean {
  return changes.run !== undefined || changes.status === "deleted";
}

/** The commits of a row, each with its revision: the key is that of the last. */
function entriesOf(key: string, { before = [], ...end }: Row): [Revision, Entry][] {
  const revision = revisionOf(key);
  return [
    ...before.map((entry, index): [Revision, Entry] => [revision - before.length + index, entry]),
    [revision, end],
  ];
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

/** Strings are stored with one byte a character where all are Latin-1, else with two. @throws HephaestusError LIMIT_EXCEEDED */
function checkedBytes({ changes, payloads }: Entry): number {
  let bytes = sizeOf(JSON.stringify(changes));
  for (const name in payloads) bytes += sizeOf(payloads[name] as string) + 2 * name.length;
  if (bytes <= VALUE_BYTES_MAX) return bytes;
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
