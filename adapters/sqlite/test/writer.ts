// A process that commits to a file until it is told otherwise: node writer.ts <file> <name> <instances> <revisions>
import { sqliteStorage } from "@hephaestus/sqlite/node";

const [fileName = "", name = "", instances = "", revisions = ""] = process.argv.slice(2);
const storage = sqliteStorage(fileName);
for (let round = 0; round < Number(revisions); round++) {
  for (let n = 0; n < Number(instances); n++) {
    const id = `i${n}`;
    const expected = (await storage.load(id))?.at(-1)?.revision ?? 0;
    const [answer] = await storage.commit([
      { id, run: 1, expected, nonce: `${name}-${expected}`, changes: { at: 1 }, payloads: { input: '"x"' } },
    ]);
    // Waited for: a loop that never rests would keep what the pipe did not take at once to itself.
    await new Promise<void>((written) => process.stdout.write(`${answer} ${id} ${expected + 1}\n`, () => written()));
  }
}
await storage.close();
