/**
 * A map of what comes and goes for as long as the process lives. V8 links a table that a map has outgrown to the next
 * one: of those that have reached the old generation, what was deleted long ago keeps alive what was added later, until
 * a full collection. Here that is a cell, which is empty by then.
 */
export class TransientMap<Key, Value extends object> {
  readonly #cells = new Map<Key, { value: Value | undefined }>();

  get size(): number {
    return this.#cells.size;
  }

  get(key: Key): Value | undefined {
    return this.#cells.get(key)?.value;
  }

  set(key: Key, value: Value): void {
    this.#cells.set(key, { value });
  }

  delete(key: Key): void {
    const cell = this.#cells.get(key);
    if (cell === undefined) return;
    cell.value = undefined;
    this.#cells.delete(key);
  }

  clear(): void {
    this.#cells.clear();
  }

  keys(): IterableIterator<Key> {
    return this.#cells.keys();
  }

  *values(): Generator<Value> {
    for (const { value } of this.#cells.values()) if (value) yield value;
  }
}
