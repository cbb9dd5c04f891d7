import type { Storage } from "@hephaestus/core";
import { deleteDB } from "idb";
import { onTestFinished } from "vitest";
import { indexedDbStorage } from "../src/indexeddb-storage.ts";
import { databaseName, type IndexedDbOptions } from "../src/options.ts";

/** Options that no other test has; the database is deleted when the test ends. */
export function fresh(): Required<Pick<IndexedDbOptions, "name">> {
  const options = { name: `test-${crypto.randomUUID()}` };
  onTestFinished(() => deleteDB(databaseName(options)));
  return options;
}

/** A storage that is closed when the test ends. */
export function opened(options: IndexedDbOptions): Storage {
  const storage = indexedDbStorage(options);
  onTestFinished(() => storage.close?.());
  return storage;
}

/** Everything that lies in a store, by key. */
export function contents(options: IndexedDbOptions, store: string): Promise<Map<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName(options));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const cursor = database.transaction(store).objectStore(store).openCursor();
      const rows = new Map<string, unknown>();
      cursor.onsuccess = () => {
        if (cursor.result) {
          rows.set(JSON.stringify(cursor.result.primaryKey), cursor.result.value);
          cursor.result.continue();
        } else {
          database.close();
          resolve(rows);
        }
      };
    };
  });
}
