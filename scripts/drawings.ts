// Draws the example workflow where the repository shows it:
//
//   npm run drawings                 brings the drawings up to date
//   npm run drawings -- --check      only tells which are not
import { fileURLToPath } from "node:url";
import { runCli } from "../apps/cli/src/cli.ts";

const MODULE = "apps/workflows/src/pull-request-flow.ts";
const DRAWINGS = [
  ["--markdown", "apps/workflows/README.md"],
  ["--out", "apps/workflows/pull-request-flow.svg"],
  ["--out", "apps/workflows/pull-request-flow.txt"],
];

/** @returns whether all went well */
export async function drawAll(options: readonly string[], out: (text: string) => void): Promise<boolean> {
  const terminal = { cwd: fileURLToPath(new URL("..", import.meta.url)), out, error: out };
  const codes: number[] = [];
  for (const where of DRAWINGS) codes.push(await runCli(["graph", MODULE, ...where, ...options], terminal));
  return codes.every((code) => code === 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isWell = await drawAll(process.argv.slice(2), (text) => process.stdout.write(text));
  process.exitCode = isWell ? 0 : 1;
}
