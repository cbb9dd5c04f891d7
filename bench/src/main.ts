/*
 * Runs the programs of this folder, each in a process of its own.
 *
 *   npm run bench                        all
 *   npm run bench -- engine local        these
 *   npm run bench -- engine --write      and write the numbers into bench/README.md and bench/results/
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const programs = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "main.ts")
  .map((file) => file.slice(0, -".ts".length));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = wanted.filter((name) => !programs.includes(name));
if (unknown.length > 0) {
  console.error(`no program ${unknown.join(", ")}; there are ${programs.join(", ")}`);
  process.exit(1);
}

const flags = ["--expose-gc", "--conditions=@hephaestus/source"];
const failed = (wanted.length > 0 ? wanted : programs).filter((name) => {
  console.log(`## ${name}\n`);
  const program = `${import.meta.dirname}/${name}.ts`;
  return spawnSync(process.execPath, [...flags, program, ...options], { stdio: "inherit" }).status !== 0;
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  process.exit(1);
}
