/*
 * npm run golden: writes core/src/testing/golden/v<format>/<scenario>.json for the scenarios that have no file yet.
 *
 * A golden file is what a version stored, and every later version must go on with it: none is ever written again. Where
 * what is stored has changed, STATE_FORMAT rises and this writes the files of the new format.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { STATE_FORMAT } from "../core/src/index.ts";
import { makeGolden } from "../core/src/testing/golden/make-golden.ts";
import { scenarios } from "../core/src/testing/golden/scenarios.ts";

const folder = fileURLToPath(new URL(`../core/src/testing/golden/v${STATE_FORMAT}/`, import.meta.url));
mkdirSync(folder, { recursive: true });

const written: string[] = [];
const kept: string[] = [];
for (const [name, scenario] of Object.entries(scenarios)) {
  const file = `${folder}${name}.json`;
  if (existsSync(file)) {
    kept.push(name);
    continue;
  }
  writeFileSync(file, `${JSON.stringify(await makeGolden(name, scenario), null, 1)}\n`, { flag: "wx" });
  written.push(name);
}
console.log(`${folder}: ${written.length} written${written.length > 0 ? ` (${written.join(", ")})` : ""}`);
if (kept.length > 0) console.log(`left as they are, since a golden file is never written again: ${kept.join(", ")}`);
// Asked to write what there is already, it has refused.
if (written.length === 0) process.exitCode = 1;
