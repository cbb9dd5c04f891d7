/** What may be bound and read. Booleans and `undefined` differ between drivers, so that nothing else is allowed. */
export type SqlValue = string | number | null;

/** One statement with numbered parameters: `?1` is `params[0]`. At most 100, the limit of D1. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

export type Row = Readonly<Record<string, SqlValue>>;

export interface BatchOptions {
  /** Answer only when the disk has it. A database that always does so needs not look at it. */
  readonly durability?: "strict";
}

/**
 * All that Hephaestus needs of an SQLite: a driver for another one implements this and gets a Storage.
 *
 * @example
 * const storage = sqlStorage({ batch: async (statements) => myDriver.transaction(statements) });
 */
export interface SqlPort {
  /**
   * A statement costs little beside the rows that it writes: each commit of a group is given statements of its own, in
   * one transaction all the same. Unless said so, a group is as few statements as possible.
   */
  readonly statementsAreCheap?: boolean;
  /**
   * Runs the statements in order as one atomic transaction that is serialised with all others, and answers the rows
   * of each. When it throws, nothing was written, or the outcome is unknown.
   *
   * @throws HephaestusError as `storageError` makes them
   */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<readonly (readonly Row[])[]>;
}
