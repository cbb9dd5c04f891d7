/** What an object wrote, by its name: each of them is billed as a row. */
export interface Writes {
  kv: number;
  alarms: number;
  /** Rows written by SQL statements. */
  sql: number;
  /** Alarms that rang: each is a request. */
  rings: number;
}

const counts = new Map<string, Writes>();

export function writesOf(name: string): Writes {
  const writes = counts.get(name) ?? { kv: 0, alarms: 0, sql: 0, rings: 0 };
  counts.set(name, writes);
  return writes;
}

/** Puts a counter before everything of the object's storage that is billed as a row written. */
export function countWrites(ctx: DurableObjectState): DurableObjectState {
  const { storage } = ctx;
  const { kv } = storage;
  const writes = writesOf(ctx.id.name ?? "");
  const counted = <A extends unknown[], R>(what: keyof Writes, call: (...args: A) => R) => {
    return (...args: A) => {
      writes[what] += 1;
      return call(...args);
    };
  };
  Object.defineProperty(storage, "kv", {
    value: {
      get: kv.get.bind(kv),
      list: kv.list.bind(kv),
      put: counted("kv", kv.put.bind(kv)),
      delete: counted("kv", kv.delete.bind(kv)),
    },
  });
  const { sql } = storage;
  Object.defineProperty(storage, "sql", {
    value: {
      exec(...args: Parameters<typeof sql.exec>) {
        const cursor = sql.exec(...args);
        const rows = cursor.toArray();
        writes.sql += cursor.rowsWritten;
        return { toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() };
      },
    },
  });
  Object.defineProperty(storage, "setAlarm", { value: counted("alarms", storage.setAlarm.bind(storage)) });
  Object.defineProperty(storage, "deleteAlarm", { value: counted("alarms", storage.deleteAlarm.bind(storage)) });
  return ctx;
}
