import {
  type Commit,
  type CommitResult,
  checkFilter,
  encodeCursor,
  HephaestusError,
  type InstanceFilter,
  type InstanceSummary,
  type Page,
  type Storage,
} from "@hephaestus/core";
import { compareKept, type InstanceIndex } from "@hephaestus/sqlite";

/** One storage over several: each instance is in the one that the hash of its id says. */
export function severalStorages(storages: readonly Storage[]): Storage {
  const of = byHash(storages);
  const [{ capabilities }] = storages as [Storage];
  return {
    capabilities,
    load: (id, after) => of(id).load(id, after),
    async commit(commits) {
      const groups = await Promise.all(
        [...groupBy(commits, ({ id }) => of(id))].map(async ([storage, own]) => {
          const answers = await storage.commit(own);
          return own.map((commit, index) => [commit, answers[index] as CommitResult] as const);
        }),
      );
      const answers = new Map<Commit, CommitResult>(groups.flat());
      return commits.map((commit) => answers.get(commit) as CommitResult);
    },
    payloads: (id, revisions) => of(id).payloads(id, revisions),
    async due(request) {
      const rows = await Promise.all(storages.map((storage) => storage.due(request)));
      return rows
        .flat()
        .sort((one, other) => one.wakeAt - other.wakeAt)
        .slice(0, request.limit);
    },
    query: (filter) => queryAll(storages, of, filter),
    remove: (id, through, standing) => of(id).remove(id, through, standing),
  };
}

/** One index over several, likewise. */
export function severalIndexes(indexes: readonly InstanceIndex[]): InstanceIndex {
  const of = byHash(indexes);
  return {
    async put(headers) {
      const groups = [...groupBy(headers, ({ id }) => of(id))];
      const written = await Promise.all(groups.map(([index, own]) => index.put(own)));
      return written.flat();
    },
    drop: (id, run) => of(id).drop(id, run),
    query: (filter) => queryAll(indexes, of, filter),
    /** Each has its share of the limit; one that does not answer keeps nobody from looking after those of the others. */
    async overdue(request) {
      const limit = Math.ceil(request.limit / indexes.length);
      const rows = await Promise.allSettled(indexes.map((index) => index.overdue({ ...request, limit })));
      const answered = rows.filter((one) => one.status === "fulfilled");
      if (answered.length === 0) throw (rows[0] as PromiseRejectedResult).reason;
      return answered.flatMap((one) => one.value).slice(0, request.limit);
    },
  };
}

type Queried = Pick<Storage, "query">;

/** Asks all for the same page and merges them: each begins where the cursor says, in an order that all of them keep. */
async function queryAll<T extends Queried>(
  all: readonly T[],
  of: (id: string) => T,
  filter: InstanceFilter,
): Promise<Page<InstanceSummary>> {
  const { id, order, limit } = checkFilter(filter);
  if (id !== undefined) return of(id).query(filter);
  const pages = await Promise.all(all.map((one) => one.query(filter)));
  const rows = pages.flatMap((page) => page.items).sort(inOrder);
  if (order === "newest") rows.reverse();
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const isMore = rows.length > limit || pages.some((page) => page.next !== undefined);
  return { items, ...(isMore && last ? { next: encodeCursor(last) } : {}) };
}

function inOrder(one: InstanceSummary, other: InstanceSummary): number {
  return one.createdAt - other.createdAt || compareKept(one.id, other.id) || one.run - other.run;
}

function byHash<T>(all: readonly T[]): (id: string) => T {
  if (all.length === 0) {
    throw new HephaestusError("OPTION_INVALID", "there must be at least one database", { field: "databases" });
  }
  return (id) => all[hash(id) % all.length] as T;
}

/** FNV-1a over UTF-16 units. It never changes: it says where instances are. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  // The low bits of ids that differ in their last characters alone are much the same: the high ones join in.
  return (value ^ (value >>> 15)) >>> 0;
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
