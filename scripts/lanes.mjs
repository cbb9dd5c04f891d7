// The test lanes: what each one's report says, and whether core's tests ran in every runtime.
import { relative } from "node:path";

/** A lane is a task of turbo, a report in .test-results, and a row in what `npm test` prints. */
export const LANES = ["node", "workerd", "chromium"];
/** The lanes that run core's tests alone, in the runtimes beside Node. */
export const CORE_LANES = ["core-bun", "core-deno", "core-workerd", "core-chromium"];

/**
 * Vitest's JSON report of a lane, counted: a file that could not even be loaded is one failure, and so is a lane that
 * ran nothing.
 */
export function count(report) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const unloadable = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + unloadable.length;
  return {
    passed: report.numPassedTests,
    failed: report.numPassedTests + failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Core's tests that ran, each as its file and its full name. */
function coreTests(report, root) {
  const names = new Set();
  for (const { name, assertionResults } of report.testResults) {
    const file = relative(root, name).replaceAll("\\", "/");
    if (!file.startsWith("core/")) continue;
    for (const { fullName, status } of assertionResults) {
      if (status === "passed" || status === "failed") names.add(`${file}: ${fullName}`);
    }
  }
  return names;
}

/** What of core ran on Node and not in another lane: nothing may be left out unnoticed. */
export function leftOut(onNode, report, root) {
  const there = coreTests(report, root);
  return [...coreTests(onNode, root)].filter((name) => !there.has(name));
}
