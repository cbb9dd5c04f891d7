// `npm test`: everything that CI checks. Ends with a line `N passed, N failed`, which CI reads.
//
//   npm test                what has not changed since it last passed comes from turbo's cache, and says so
//   npm test -- --force     runs all of it again
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CORE_LANES, count, LANES, leftOut } from "./lanes.mjs";
import { main, root, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

const CHECKS = ["lint", "typecheck", "typecheck:root", "build", "knip"];
const ALL_LANES = [...LANES, ...CORE_LANES];
const reports = join(root, ".test-results");
const summaries = join(root, ".turbo/runs");

function reportOf(lane) {
  const file = join(reports, `${lane}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The tasks that turbo says failed. */
function failedTasks() {
  if (!existsSync(summaries)) return [];
  const [newest] = readdirSync(summaries).sort().reverse();
  const { tasks } = JSON.parse(readFileSync(join(summaries, newest), "utf8"));
  return tasks.filter(({ execution }) => execution && execution.exitCode !== 0).map(({ taskId }) => taskId);
}

/** The lanes with their counts; a lane of core's that leaves a test out fails by it. */
function countLanes() {
  const onNode = reportOf("node");
  return ALL_LANES.map((lane) => {
    const report = reportOf(lane);
    const missing = CORE_LANES.includes(lane) && onNode && report ? leftOut(onNode, report, root) : [];
    for (const test of missing) console.log(`not run in ${lane}: ${test}`);
    const counted = count(report);
    return { lane, ...counted, failed: counted.failed + missing.length };
  });
}

async function test() {
  await setup();
  // A lane that dies must not be counted by its last report; a cached one gets its report back from the cache.
  rmSync(reports, { recursive: true, force: true });
  rmSync(summaries, { recursive: true, force: true });
  const code = await run("turbo", [
    "run",
    ...CHECKS,
    ...ALL_LANES.map((lane) => `test:${lane}`),
    "--continue",
    "--summarize",
    "--log-order=grouped",
    ...process.argv.slice(2),
  ]);

  const counts = countLanes();
  const sum = (key) => counts.reduce((total, lane) => total + lane[key], 0);
  // A failed check is one failure, and so is a lane that failed although no test in it did.
  const broken = failedTasks().filter(
    (task) => !counts.some(({ lane, failed }) => task === `//#test:${lane}` && failed),
  );
  for (const task of broken) console.log(`failed: ${task.replace("//#", "")}`);
  let failed = sum("failed") + broken.length;
  // Whatever else went wrong must not look like a success.
  if (code !== 0 && failed === 0) failed = 1;
  const tell = (passed, failures, skipped) =>
    `${passed} passed, ${failures} failed${skipped ? `, ${skipped} skipped` : ""}`;
  console.log();
  for (const one of counts) console.log(`  ${one.lane.padEnd(14)} ${tell(one.passed, one.failed, one.skipped)}`);
  console.log(`\n${tell(sum("passed"), failed, sum("skipped"))}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main(import.meta.url, test);
