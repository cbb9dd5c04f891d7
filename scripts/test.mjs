// `npm test`: everything that CI checks. Ends with a line `N passed, N failed`, which CI reads.
//
//   npm test                what has not changed since it last passed comes from turbo's cache, and says so
//   npm test -- --force     runs all of it again
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { main, root, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

const CHECKS = ["lint", "typecheck", "typecheck:root", "build", "knip"];
const LANES = ["test:node", "test:workerd", "test:chromium"];
const reports = join(root, ".test-results");
const summaries = join(root, ".turbo/runs");

/** Vitest's report of a lane, counted. A file that could not even be loaded is one failure. */
function count(lane) {
  const file = join(reports, `${lane.slice("test:".length)}.json`);
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The tasks that turbo says failed. */
function failedTasks() {
  if (!existsSync(summaries)) return [];
  const [newest] = readdirSync(summaries).sort().reverse();
  const { tasks } = JSON.parse(readFileSync(join(summaries, newest), "utf8"));
  return tasks.filter(({ execution }) => execution && execution.exitCode !== 0).map(({ taskId }) => taskId);
}

async function test() {
  await setup();
  // A lane that dies must not be counted by its last report; a cached one gets its report back from the cache.
  rmSync(reports, { recursive: true, force: true });
  rmSync(summaries, { recursive: true, force: true });
  const code = await run("turbo", [
    "run",
    ...CHECKS,
    ...LANES,
    "--continue",
    "--summarize",
    "--log-order=grouped",
    ...process.argv.slice(2),
  ]);

  const counts = LANES.map((lane) => ({ task: `//#${lane}`, ...count(lane) }));
  const sum = (key) => counts.reduce((total, lane) => total + lane[key], 0);
  // A failed check is one failure, and so is a lane that failed although no test in it did.
  const broken = failedTasks().filter((task) => !counts.some((lane) => lane.task === task && lane.failed > 0));
  for (const task of broken) console.log(`failed: ${task.replace("//#", "")}`);
  let failed = sum("failed") + broken.length;
  // Whatever else went wrong must not look like a success.
  if (code !== 0 && failed === 0) failed = 1;
  const skipped = sum("skipped");
  console.log(`\n${sum("passed")} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main(import.meta.url, test);
