import { DatabaseSync, type StatementSync } from "node:sqlite";
import { createHephaestus, type Workflow } from "@hephaestus/core";
import { type SqlPort, type Statement, sqlStorage } from "@hephaestus/sqlite";
import { nodePort, sqliteStorage } from "@hephaestus/sqlite/node";

/**
 * What a workflow costs in a file without its engine: the statements that one run of it had made are made again for
 * another id, by nothing but prepared statements.
 *
 * @returns one call of which is one workflow, and the number of its transactions
 */
export async function bareStatements(
  flow: Workflow<string, unknown, unknown, undefined>,
  fileName: string,
  synchronous: "FULL" | "NORMAL",
): Promise<{ readonly run: () => void; readonly transactions: number }> {
  await sqliteStorage(fileName).close();
  const database = new DatabaseSync(fileName);
  database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000`);
  const { id, batches } = await record(flow, nodePort(database));
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string) => {
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  const [begin, commit] = [database.prepare("BEGIN IMMEDIATE"), database.prepare("COMMIT")];
  let count = 0;
  const run = () => {
    const another = `${id}${count++}`;
    for (const batch of batches) {
      if (batch.length > 1) begin.run();
      for (const { sql, params } of batch) {
        prepare(sql).all(...params.map((value) => (value === id ? another : value)));
      }
      if (batch.length > 1) commit.run();
    }
  };
  return { run, transactions: batches.length };
}

/** The statements of one run of a workflow, when others were before it. */
async function record(flow: Workflow<string, unknown, unknown, undefined>, port: SqlPort) {
  const made: (readonly Statement[])[] = [];
  const noting: SqlPort = {
    ...port,
    batch(statements, options) {
      made.push(statements);
      return port.batch(statements, options);
    },
  };
  const engine = createHephaestus({ workflows: [flow], storage: sqlStorage(noting) });
  let id = "";
  for (let run = 0; run < 2; run++) {
    const started = await engine.for(flow).start(null);
    id = started.id;
    await started.result();
  }
  await engine.close();
  const batches = made.filter((statements) => statements.some(({ params }) => params.includes(id)));
  return { id, batches };
}
