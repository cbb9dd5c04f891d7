/** Where a storage keeps its instances, and how hard the browser tries to keep them. */
export interface IndexedDbOptions {
  /** The database's name, shared by everything on this origin; `hephaestus` unless said otherwise. */
  readonly name?: string;
  /** Instances of different namespaces never meet: each has a database of its own. `default` unless said otherwise. */
  readonly namespace?: string;
  /**
   * `strict` waits until the disk has a commit; `relaxed` until the operating system has it, so that only a crash of
   * the machine can lose it. `default` leaves the choice to the browser.
   */
  readonly durability?: IDBTransactionDurability;
  /**
   * Newer code, in another tab, changes the schema of the database. This page has let go of it, and every call is
   * refused from now on: ask the user to load the page again, or do it. Nothing is lost. May be told more than once.
   */
  readonly onOutdated?: () => void;
}

/** The last `/` of the result ends the name, since an encoded namespace has none: no two pairs share a database. */
export function databaseName({ name = "hephaestus", namespace = "default" }: IndexedDbOptions): string {
  return `${name}/${encodeURIComponent(namespace)}`;
}
