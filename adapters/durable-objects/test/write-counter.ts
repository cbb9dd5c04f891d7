/** What an object wrote, by its name: each of them is billed as a row. */
export interface Writes {
  kv: number;
  alarms: number;
  /** Rows written by SQL statements. */
  sql: number;
  /** Alarms that rang: each is a request. */
  rings: number;
  /** What else was asked of the storage, too, in order: each is a span where calls are traced. */
  asked: string[];
}

const counts = new Map<string, Writes>();

export function writesOf(name: string): Writes {
  const writes = counts.get(name) ?? { kv: 0, alarms: 0, sql: 0, rings: 0, asked: [] };
  counts.set(name, writes);
  return writes;
}

/** Puts a counter before everything of the object's storage that is asked of it. */
export function countWrites(ctx: DurableObjectState): DurableObjectState {
  const { storage } = ctx;
  const { kv, sql } = storage;
  const writes = writesOf(ctx.id.name ?? "");
  const counted = <A extends unknown[], R>(name: string, call: (...args: A) => R, row?: "kv" | "alarms") => {
    return (...args: A) => {
      writes.asked.push(name);
      if (row) writes[row] += 1;
      return call(...args);
    };
  };
  const own = {
    kv: {
      get: counted("get", kv.get.bind(kv)),
      list: counted("list", kv.list.bind(kv)),
      put: counted("put", kv.put.bind(kv), "kv"),
      delete: counted("delete", kv.delete.bind(kv), "kv"),
    },
    sql: {
      exec(...args: Parameters<typeof sql.exec>) {
        const cursor = sql.exec(...args);
        const rows = cursor.toArray();
        writes.sql += cursor.rowsWritten;
        return { toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() };
      },
    },
    sync: counted("sync", storage.sync.bind(storage)),
    getAlarm: counted("getAlarm", storage.getAlarm.bind(storage)),
    setAlarm: counted("setAlarm", storage.setAlarm.bind(storage), "alarms"),
    // Not a row of the object's: it never does that, the tests' own helpers do.
    deleteAlarm: counted("deleteAlarm", storage.deleteAlarm.bind(storage)),
  };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(storage, name, { value });
  return ctx;
}
