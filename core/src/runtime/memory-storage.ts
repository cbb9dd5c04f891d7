import type { Payloads, Revision } from "../engine/state.ts";
import { checkFilter, comparePositions, matchesFilter, toPage } from "./filter.ts";
import type { Commit, CommitResult, DueInstance, DueRequest, Header, Storage, StoredRecord } from "./storage.ts";

/** One instance: as few objects as there can be, since a process may keep very many. */
interface Instance {
  /** The revision of the first record that is still there. */
  first: Revision;
  /** In order of revision, without gaps. */
  readonly records: StoredRecord[];
  /** Of each record. */
  readonly payloads: (Payloads | undefined)[];
  /** In order of run; most instances have one. */
  readonly headers: Header[];
}

/** No rows may be removed for longer than a moment at once. */
const REMOVE_BATCH = 1_000;

/**
 * Keeps everything in this process's memory: for tests, for work that may die with the process, and as the
 * reference of what a storage does. Two runners may share one.
 */
export function memoryStorage(): Storage {
  const instances = new Map<string, Instance>();
  const listeners = new Set<(id: string) => void>();
  const due = dueIndex();

  function write({ id, run, expected, nonce, changes, payloads, header }: Commit): CommitResult {
    let instance = instances.get(id);
    if ((instance ? lastRevision(instance) : 0) !== expected) return "conflict";
    if (instance === undefined) {
      instance = { first: 1, records: [], payloads: [], headers: [] };
      instances.set(id, instance);
    }
    instance.records.push({ revision: expected + 1, run, nonce, changes });
    instance.payloads.push(payloads);
    if (header) putHeader(instance.headers, header);
    for (const listener of listeners) listener(id);
    return "ok";
  }

  function putHeader(headers: Header[], header: Header): void {
    let index = headers.length - 1;
    while (index >= 0 && headers[index]?.run !== header.run) index -= 1;
    const before = headers[index];
    const merged = before ? mergeHeader(before, header) : header;
    if (before) headers[index] = merged;
    else headers.push(merged);
    due.replace(before, merged);
  }

  function* headers(): Generator<Header> {
    for (const instance of instances.values()) yield* instance.headers;
  }

  return {
    capabilities: { headers: true, where: true },
    async load(id, after = 0) {
      const instance = instances.get(id);
      if (instance === undefined) return undefined;
      const { records } = instance;
      const run = records.at(-1)?.run;
      let from = records.length;
      while (from > 0 && records[from - 1]?.run === run && (records[from - 1]?.revision ?? 0) > after) from -= 1;
      return records.slice(from);
    },
    commit: (commits) => commits.map(write),
    async payloads(id, revisions) {
      const instance = instances.get(id);
      return revisions.map((revision) => instance?.payloads[revision - instance.first] ?? {});
    },
    async due(request) {
      return due.find(request);
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
      const { records, payloads, headers, first } = instance;
      if (standing && records[standing.revision - first]?.nonce !== standing.nonce) return { more: false };
      const count = Math.min(Math.max(through - first + 1, 0), records.length);
      const removed = Math.min(count, REMOVE_BATCH);
      records.splice(0, removed);
      payloads.splice(0, removed);
      instance.first += removed;
      if (removed < count) return { more: true };
      for (const header of headers.splice(0)) {
        if (header.revision > through) headers.push(header);
        else due.replace(header, undefined);
      }
      if (records.length === 0) instances.delete(id);
      return { more: false };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function lastRevision({ first, records }: Instance): Revision {
  return first + records.length - 1;
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

/** The rows that have a `wakeAt`. Looked through in full: a memory storage has one process's instances. */
function dueIndex() {
  const waking = new Map<string, Header>();
  const keyOf = (header: Header) => `${header.run}|${header.id}`;
  return {
    replace(before: Header | undefined, header: Header | undefined): void {
      if (before && header?.wakeAt === undefined) waking.delete(keyOf(before));
      if (header?.wakeAt !== undefined) waking.set(keyOf(header), header);
    },
    find({ before, limit, definitions }: DueRequest): DueInstance[] {
      const known = new Set(definitions.map((one) => `${one.fingerprint}|${one.version}|${one.workflow}`));
      return [...waking.values()]
        .filter((header) => (header.wakeAt ?? Number.POSITIVE_INFINITY) <= before)
        .filter((header) => known.has(`${header.fingerprint}|${header.version}|${header.workflow}`))
        .sort((one, other) => (one.wakeAt ?? 0) - (other.wakeAt ?? 0))
        .slice(0, limit)
        .map(({ id, run, wakeAt = 0, owner }) => ({ id, run, wakeAt, ...(owner === undefined ? {} : { owner }) }));
    },
  };
}
