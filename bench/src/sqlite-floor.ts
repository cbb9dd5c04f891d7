/*
 * The floor of a durable engine on SQLite: transactions of 4 rows, one after the other, in a file.
 *
 *   npm run bench -- sqlite-floor
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Makes a new file; each call of the answer is one transaction. */
export function floor(synchronous: "FULL" | "NORMAL"): () => void {
  const database = new DatabaseSync(join(mkdtempSync(join(tmpdir(), "floor-")), "floor.db"));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
  database.exec("CREATE TABLE floor (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  const statements = ["BEGIN IMMEDIATE", "INSERT INTO floor (text) VALUES (?)", "COMMIT"] as const;
  const [begin, insert, commit] = statements.map((sql) => database.prepare(sql)) as unknown as Prepared;
  return () => {
    begin.run();
    for (let row = 0; row < 4; row++) insert.run('{"status":"completed","event":"done","result":1}');
    commit.run();
  };
}

type Statement = ReturnType<DatabaseSync["prepare"]>;
type Prepared = readonly [Statement, Statement, Statement];

if (import.meta.main) {
  for (const synchronous of ["FULL", "NORMAL"] as const) {
    const transaction = floor(synchronous);
    const begun = performance.now();
    let count = 0;
    for (; performance.now() - begun < 3_000; count++) transaction();
    console.log(`${synchronous}: ${Math.round(count / 3)} transactions/s`);
  }
}
