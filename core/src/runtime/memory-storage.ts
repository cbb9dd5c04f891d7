import type { Changes, Payloads, Revision } from "../engine/state.ts";
import { checkFilter, comparePositions, matchesFilter, toPage } from "./filter.ts";
import type { Commit, CommitResult, DueInstance, DueRequest, Header, Storage, StoredRecord } from "./storage.ts";

/** One instance: as few objects as there can be, since a process may keep very many. */
interface Instance {
  /** The revision of the first record that is still there. */
  first: Revision;
  /** `RECORD_SIZE` places for each record, in order of revision, without gaps: run, nonce, changes, payloads. */
  readonly journal: (number | string | Changes | Payloads | undefined)[];
  /** In order of run; most instances have one. */
  readonly headers: Header[];
}

const RECORD_SIZE = 4;

/** No rows may be removed for longer than a moment at once. */
const REMOVE_BATCH = 1_000;

/**
 * Keeps everything in this process's memory: for tests, for work that may die with the process, and as the
 * reference of what a storage does. Two runners may share one.
 */
export function memoryStorage(): Storage {
  const instances = new Map<string, Instance>();
  const listeners = new Set<(id: string) => void>();
  /** Those with a row that has a `wakeAt`. */
  const waking = new Set<Instance>();

  function write({ id, run, expected, nonce, changes, payloads, header }: Commit): CommitResult {
    let instance = instances.get(id);
    if ((instance ? lastRevision(instance) : 0) !== expected) return "conflict";
    if (instance === undefined) {
      instance = { first: 1, journal: [], headers: [] };
      instances.set(id, instance);
    }
    instance.journal.push(run, nonce, changes, payloads);
    if (header) putHeader(instance, header);
    for (const listener of listeners) listener(id);
    return "ok";
  }

  function putHeader(instance: Instance, header: Header): void {
    const { headers } = instance;
    let index = headers.length - 1;
    while (index >= 0 && headers[index]?.run !== header.run) index -= 1;
    const before = headers[index];
    if (before) headers[index] = mergeHeader(before, header);
    else headers.push(header);
    noteWaking(instance);
  }

  function noteWaking(instance: Instance): void {
    if (instance.headers.some(({ wakeAt }) => wakeAt !== undefined)) waking.add(instance);
    else waking.delete(instance);
  }

  function* headers(): Generator<Header> {
    for (const instance of instances.values()) yield* instance.headers;
  }

  return {
    capabilities: { headers: true, where: true },
    async load(id, after = 0) {
      const instance = instances.get(id);
      if (instance === undefined) return undefined;
      const records: StoredRecord[] = [];
      for (let revision = lastRevision(instance); revision > after; revision--) {
        const record = recordAt(instance, revision);
        if (record === undefined || record.run !== (records[0]?.run ?? record.run)) break;
        records.push(record);
      }
      return records.reverse();
    },
    commit: (commits) => commits.map(write),
    async payloads(id, revisions) {
      const instance = instances.get(id);
      return revisions.map((revision) => (instance && payloadsAt(instance, revision)) ?? {});
    },
    async due(request) {
      return findDue(waking, request);
    },
    async query(filter) {
      const checked = checkFilter(filter);
      const rows = [...headers()].filter((header) => matchesFilter(header, checked)).sort(comparePositions);
      if (checked.order === "newest") rows.reverse();
      return toPage(rows, checked.limit);
    },
    async remove(id, through, standing) {
      const instance = instances.get(id);
      if (instance === undefined) return { more: false };
      const { journal, headers, first } = instance;
      if (standing && recordAt(instance, standing.revision)?.nonce !== standing.nonce) return { more: false };
      const count = Math.max(Math.min(through, lastRevision(instance)) - first + 1, 0);
      const removed = Math.min(count, REMOVE_BATCH);
      journal.splice(0, removed * RECORD_SIZE);
      instance.first += removed;
      if (removed < count) return { more: true };
      for (const header of headers.splice(0)) if (header.revision > through) headers.push(header);
      noteWaking(instance);
      if (journal.length === 0) instances.delete(id);
      return { more: false };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function lastRevision({ first, journal }: Instance): Revision {
  return first + journal.length / RECORD_SIZE - 1;
}

function recordAt({ first, journal }: Instance, revision: Revision): StoredRecord | undefined {
  const at = (revision - first) * RECORD_SIZE;
  if (at < 0 || at >= journal.length) return undefined;
  const [run, nonce, changes] = journal.slice(at, at + 3);
  return { revision, run, nonce, changes } as StoredRecord;
}

function payloadsAt({ first, journal }: Instance, revision: Revision): Payloads | undefined {
  return journal[(revision - first) * RECORD_SIZE + 3] as Payloads | undefined;
}

/** A header row keeps the input and the results that it has when a later commit does not repeat them. */
export function mergeHeader(before: Header, header: Header): Header {
  const input = header.input ?? before.input;
  if (input === header.input && before.results === undefined) return header;
  const results = before.results || header.results ? { ...before.results, ...header.results } : undefined;
  return {
    ...header,
    ...(input === undefined ? {} : { input }),
    ...(results === undefined ? {} : { results }),
  };
}

/** Looked through in full: a memory storage has one process's instances. */
function findDue(waking: ReadonlySet<Instance>, { before, limit, definitions }: DueRequest): DueInstance[] {
  const known = new Set(definitions.map((one) => `${one.fingerprint}|${one.version}|${one.workflow}`));
  return [...waking]
    .flatMap(({ headers }) => headers)
    .filter(({ wakeAt }) => wakeAt !== undefined && wakeAt <= before)
    .filter((header) => known.has(`${header.fingerprint}|${header.version}|${header.workflow}`))
    .sort((one, other) => (one.wakeAt ?? 0) - (other.wakeAt ?? 0))
    .slice(0, limit)
    .map(({ id, run, wakeAt = 0, owner }) => ({ id, run, wakeAt, ...(owner === undefined ? {} : { owner }) }));
}
