// A process that opens a file at a given moment, as others do: node opener.ts <file> <when>
import { sqliteStorage } from "@hephaestus/sqlite/node";

const [fileName = "", when = "0"] = process.argv.slice(2);
// To the millisecond: a timer would spread them.
while (Date.now() < Number(when));
await sqliteStorage(fileName).close();
