import { Console } from "node:console";
import { acceptBundlerImports } from "./bundler-imports.ts";
import { runCli } from "./cli.ts";

// What modules print while they are loaded must not get into a report or a drawing.
globalThis.console = new Console(process.stderr, process.stderr);
// A reader such as `head` may go before all is written.
process.stdout.on("error", () => {});

acceptBundlerImports();

const texts: string[] = [];
const finish = (code: number) =>
  // Modules may have opened something that would keep the process alive.
  process.stdout.write(texts.join(""), () => process.exit(code));
process.once("beforeExit", () => {
  process.stderr.write("hephaestus: a module never finished loading: it awaits what does not come\n");
  finish(1);
});

const code = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  out: (text) => texts.push(text),
  error: (text) => process.stderr.write(text),
});
finish(code);
