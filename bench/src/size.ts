/*
 * What core adds to a bundle, and which modules it comes from. With `--write` it also writes the number into the
 * project's README, which a test holds to it.
 *
 *   npm run bench -- size --write
 */
import { readFileSync, writeFileSync } from "node:fs";
import { bundleCore, kilobytes } from "./lib/bundle.ts";
import { describeMachine } from "./lib/machine.ts";
import { publish } from "./lib/report.ts";
import { replaceBetween } from "./lib/table.ts";

const README = new URL("../../README.md", import.meta.url);

const { gzipped, minified, modules } = await bundleCore();
const total = modules.reduce((sum, { bytes }) => sum + bytes, 0);
const share = (bytes: number) => `${((100 * bytes) / total).toFixed(1)} %`;

publish(
  {
    name: "size",
    columns: [
      { title: "module" },
      { title: "bytes before minifying", align: "right" },
      { title: "share", align: "right" },
    ],
    rows: modules.map(({ path, bytes }) => [path, String(bytes), share(bytes)]),
    notes: [
      `All of it: ${kilobytes(minified)} minified, **${kilobytes(gzipped)} minified and gzipped** (${gzipped} bytes).`,
    ],
    data: { gzipped, minified, ...Object.fromEntries(modules.map(({ path, bytes }) => [path, bytes])) },
  },
  describeMachine(),
);
if (process.argv.includes("--write")) {
  const readme = readFileSync(README, "utf8");
  writeFileSync(README, replaceBetween(readme, "core-size", kilobytes(gzipped), ""));
}
