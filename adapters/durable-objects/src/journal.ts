import {
  type Changes,
  type Commit,
  type CommitResult,
  HephaestusError,
  type Payloads,
  type RecordName,
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
 *
 * A class, since every object makes one as it is loaded: as closures its functions took a percent of a short run.
 */
export class ObjectJournal implements Storage {
  readonly capabilities = { headers: false, where: false };
  readonly #kv: SyncKvStorage;
  readonly #name: string | undefined;
  readonly #turn: Turn | undefined;
  /** The last revision; undefined where it is not known. */
  #last: Revision | undefined = undefined;
  /** Commits that are not written yet, and about how large they are. */
  #late: Entry[] = [];
  #lateBytes = 0;
  /** Whether one of them must be stored in this turn. */
  #isUrgent = false;

  /** @param turn lets the commits that follow the first write of a turn share one row; without it each is written at once */
  constructor(kv: SyncKvStorage, name?: string, turn?: Turn) {
    this.#kv = kv;
    this.#name = name;
    this.#turn = turn;
  }

  async load(_id: string, after: Revision = 0): Promise<readonly StoredRecord[] | undefined> {
    this.#writeLate();
    const { end, records } = this.#lastRun({}, after);
    this.#last = end ?? 0;
    return end === undefined ? undefined : records;
  }

  /** The records of the run that ended before a revision. */
  recordsBefore(revision: Revision): readonly StoredRecord[] {
    this.#writeLate();
    return this.#lastRun({ end: keyOf(revision) }, 0).records;
  }

  commit(commits: readonly Commit[]): readonly CommitResult[] {
    return commits.map((one) => this.#commit(one, false));
  }

  /** As `commit`, of what may be lost with the object: it is stored with what comes next, or when all is written. */
  commitLazily(commit: Commit): CommitResult {
    return this.#commit(commit, this.#turn !== undefined);
  }

  /** Writes what has been put off to the end of the turn, or all that was. */
  write(all: boolean): void {
    if (all || this.#isUrgent) this.#write();
  }

  async payloads(_id: string, revisions: readonly Revision[]): Promise<readonly Payloads[]> {
    this.#writeLate();
    const found = new Map<Revision, Payloads>();
    for (const revision of revisions) {
      if (!found.has(revision))
        for (const [at, { payloads = {} }] of this.#sharingRow(revision)) found.set(at, payloads);
    }
    return revisions.map((revision) => found.get(revision) ?? {});
  }

  async remove(_id: string, through: Revision, standing?: RecordName): Promise<{ readonly more: boolean }> {
    this.#writeLate();
    if (standing && this.#nonceAt(standing.revision) !== standing.nonce) return { more: false };
    let removed = 0;
    for (const [key] of [...this.#kv.list({ prefix: PREFIX, end: keyOf(through + 1), limit: REMOVE_BATCH + 1 })]) {
      if (removed++ === REMOVE_BATCH) return { more: true };
      this.#kv.delete(key);
    }
    return { more: false };
  }

  due(): Promise<never> {
    return Promise.reject(noRows());
  }

  query(): Promise<never> {
    return Promise.reject(noRows());
  }

  #commit({ run, expected, nonce, changes, payloads }: Commit, mayBeLost: boolean): CommitResult {
    this.#last ??= this.#lastRevision();
    if (this.#last !== expected) return "conflict";
    const entry: Entry = { run, nonce, changes, ...(payloads ? { payloads } : {}) };
    const bytes = checkedBytes(entry);
    if (isFirst(entry) || this.#lateBytes + bytes > ROW_BYTES_MAX) this.#writeLate();
    this.#late.push(entry);
    this.#lateBytes += bytes;
    this.#last = expected + 1;
    if (mayBeLost) return "ok";
    this.#isUrgent = true;
    if (this.#turn?.isHeld) this.#turn.goOn();
    else this.#write();
    return "ok";
  }

  /** Whoever reads sees all of it. */
  #writeLate(): void {
    if (this.#late.length > 0) this.#turn?.write();
  }

  /** One row for all that is not written yet. Only a row's first commit can be the first of a run. */
  #write(): void {
    const late = this.#late;
    const [first] = late;
    const end = late.pop();
    const last = this.#last;
    if (first === undefined || end === undefined || last === undefined) return;
    const row: Row = {
      ...end,
      ...(late.length > 0 ? { before: late } : {}),
      ...(this.#name !== undefined && isFirst(first) ? { name: this.#name } : {}),
    };
    this.#late = [];
    this.#lateBytes = 0;
    this.#isUrgent = false;
    // What is stored is known again once this has been.
    this.#last = undefined;
    this.#kv.put(keyOf(last), row);
    this.#last = last;
    this.#turn?.written();
  }

  #lastRevision(): Revision {
    for (const [key] of this.#kv.list({ prefix: PREFIX, reverse: true, limit: 1 })) return revisionOf(key);
    return 0;
  }

  /** The records of the run that ends a range of keys, after a revision: earlier runs cost nothing. */
  #lastRun(options: SyncKvListOptions, after: Revision) {
    const records: StoredRecord[] = [];
    let end: { readonly revision: Revision; readonly run: number } | undefined;
    for (const [key, row] of this.#kv.list<Row>({ prefix: PREFIX, reverse: true, ...options })) {
      end ??= { revision: revisionOf(key), run: row.run };
      if (row.run !== end.run || revisionOf(key) <= after) break;
      for (const [revision, { run, nonce, changes }] of entriesOf(key, row).reverse()) {
        if (revision > after) records.push({ revision, run, nonce, changes });
      }
    }
    return { end: end?.revision, records: records.reverse() };
  }

  /** A record, and those that share its row. */
  *#sharingRow(revision: Revision): Generator<[Revision, Entry]> {
    for (const [key, row] of this.#kv.list<Row>({ prefix: PREFIX, start: keyOf(revision), limit: 1 })) {
      yield* entriesOf(key, row);
    }
  }

  #nonceAt(revision: Revision): string | undefined {
    for (const [at, { nonce }] of this.#sharingRow(revision)) if (at === revision) return nonce;
    return undefined;
  }
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
