/** A database as a file: what it is made of, and every row. */
export interface Dump {
  readonly version: number;
  readonly stores: Readonly<Record<string, StoreDump>>;
}

interface StoreDump {
  readonly keyPath: string | string[] | null;
  readonly indexes: Readonly<Record<string, string | string[]>>;
  /** The indexes that take no key twice, where there are any. */
  readonly unique?: readonly string[];
  readonly autoIncrement?: true;
  /** In order of key. The key stands apart where the rows do not hold it. */
  readonly rows: readonly { readonly key?: IDBValidKey; readonly value: unknown }[];
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export async function dump(name: string): Promise<Dump> {
  const database = await answer(indexedDB.open(name));
  const stores: Record<string, StoreDump> = {};
  for (const storeName of database.objectStoreNames) {
    const store = database.transaction(storeName).objectStore(storeName);
    const [keys, values] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
    const indexes = [...store.indexNames].map((index) => [index, store.index(index).keyPath]);
    const unique = [...store.indexNames].filter((index) => store.index(index).unique);
    const rows = values.map((value, row) =>
      store.keyPath === null ? { key: keys[row] as IDBValidKey, value } : { value },
    );
    stores[storeName] = {
      keyPath: store.keyPath,
      indexes: Object.fromEntries(indexes),
      ...(unique.length > 0 ? { unique } : {}),
      ...(store.autoIncrement ? { autoIncrement: true } : {}),
      rows,
    };
  }
  database.close();
  return { version: database.version, stores };
}

/** Makes the database of a dump, without the code that made the dumped one. */
export async function restore(name: string, { version, stores }: Dump): Promise<void> {
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => {
    for (const [storeName, { keyPath, autoIncrement = false, indexes, unique, rows }] of Object.entries(stores)) {
      const store = opening.result.createObjectStore(storeName, { keyPath, autoIncrement });
      for (const [index, path] of Object.entries(indexes)) {
        store.createIndex(index, path, { unique: unique?.includes(index) ?? false });
      }
      for (const { key, value } of rows) store.add(value, key);
    }
  };
  (await answer(opening)).close();
}
