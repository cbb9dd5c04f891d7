import type { Payloads, Revision } from "../engine/state.ts";
import { checkFilter, comparePositions, matchesFilter, toPage } from "./filter.ts";
import type { Commit, CommitResult, DueInstance, DueRequest, Header, Storage, StoredRecord } from "./storage.ts";

interface Instance {
  /** By revision; the latest run's are those from `runStart` on. */
  readonly journal: Map<Revision, StoredRecord>;
  readonly payloads: Map<Revision, Payloads>;
  readonly headers: Map<number, Header>;
  last: Revision;
  /** The first revision of the latest run. */
  runStart: Revision;
  run: number;
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

  function write(commit: Commit): CommitResult {
    const { id, run, expected, nonce, changes } = commit;
    let instance = instances.get(id);
    if ((instance?.last ?? 0) !== expected) return "conflict";
    if (instance === undefined) {
      instance = { journal: new Map(), payloads: new Map(), headers: new Map(), last: 0, runStart: 1, run };
      instances.set(id, instance);
    }
    const revision = expected + 1;
    if (run !== instance.run) {
      instance.run = run;
      instance.runStart = revision;
    }
    instance.last = revision;
    instance.journal.set(revision, { revision, run, nonce, changes });
    if (commit.payloads) instance.payloads.set(revision, commit.payloads);
    if (commit.header) {
      const before = instance.headers.get(run);
      const header = before ? mergeHeader(before, commit.header) : commit.header;
      instance.headers.set(run, header);
      due.replace(before, header);
    }
    for (const listener of listeners) listener(id);
    return "ok";
  }

  function* headers(): Generator<Header> {
    for (const instance of instances.values()) yield* instance.headers.values();
  }

  return {
    capabilities: { headers: true, where: true },
    async load(id, after) {
      const instance = instances.get(id);
      if (instance === undefined) return undefined;
      const records: StoredRecord[] = [];
      for (let revision = Math.max((after ?? 0) + 1, instance.runStart); revision <= instance.last; revision++) {
        const record = instance.journal.get(revision);
        if (record) records.push(record);
      }
      return records;
    },
    async commit(commits) {
      return commits.map(write);
    },
    async payloads(id, revisions) {
      const instance = instances.get(id);
      return revisions.map((revision) => instance?.payloads.get(revision) ?? {});
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
    async remove(id, through) {
      const instance = instances.get(id);
      if (instance === undefined) return { more: false };
      for (const [run, header] of instance.headers) {
        if (header.revision > through) continue;
        instance.headers.delete(run);
        due.replace(header, undefined);
      }
      let removed = 0;
      for (const revision of instance.journal.keys()) {
        if (revision > through) continue;
        if (removed++ === REMOVE_BATCH) return { more: true };
        instance.journal.delete(revision);
        instance.payloads.delete(revision);
      }
      if (instance.journal.size === 0) instances.delete(id);
      return { more: false };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A header row keeps the input and the results that it has when a later commit does not repeat them. */
export function mergeHeader(before: Header, header: Header): Header {
  const input = header.input ?? before.input;
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
