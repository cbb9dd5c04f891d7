// A process that holds an owner's lock until it is killed: node owner.ts <file> <owner>
import { sqliteStorage } from "@hephaestus/sqlite/node";

const [fileName = "", owner = ""] = process.argv.slice(2);
const held = await sqliteStorage(fileName).holdOwner?.(owner).held;
// What can be collected is collected before the test asks.
globalThis.gc?.();
process.stdout.write(`${String(held)}\n`);
setInterval(() => {}, 1_000);
