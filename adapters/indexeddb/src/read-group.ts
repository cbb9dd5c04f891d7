import type { Connection, Transaction } from "./connection.ts";
import type { StoreName } from "./schema.ts";

type Use<T> = (transaction: Transaction<"readonly">) => Promise<T>;

/**
 * Reads that are asked for together share one transaction, as commits do: a transaction costs more than what is asked
 * in it. What is asked while one runs goes into the next.
 */
export function readGroup(
  connection: Pick<Connection, "read">,
  stores: readonly StoreName[],
): <T>(use: Use<T>) => Promise<T> {
  let waiting: ((transaction: Transaction<"readonly">) => Promise<() => void>)[] = [];
  let rejects: ((error: unknown) => void)[] = [];
  let busy = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const [group, refuse] = [waiting, rejects];
      [waiting, rejects] = [[], []];
      try {
        // Told only when all is read: a transaction that was lost is read again as a whole.
        const answers = await connection.read(stores, (transaction) =>
          Promise.all(group.map((use) => use(transaction))),
        );
        for (const answer of answers) answer();
      } catch (error) {
        for (const reject of refuse) reject(error);
      }
    }
    busy = false;
  }

  return (use) =>
    new Promise((resolve, reject) => {
      waiting.push(async (transaction) => {
        const value = await use(transaction);
        return () => resolve(value);
      });
      rejects.push(reject);
      if (busy) return;
      busy = true;
      void Promise.resolve().then(flush);
    });
}
