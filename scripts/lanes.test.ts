import { describe, expect, it } from "vitest";
import { count, leftOut } from "./lanes.mjs";

type Status = "passed" | "failed" | "pending";

/** A report as vitest writes it, of files with their tests. */
function report(files: Record<string, Record<string, Status>>) {
  const all = Object.values(files).flatMap((tests) => Object.values(tests));
  const counted = (status: Status) => all.filter((one) => one === status).length;
  return {
    numPassedTests: counted("passed"),
    numFailedTests: counted("failed"),
    numPendingTests: counted("pending"),
    numTodoTests: 0,
    testResults: Object.entries(files).map(([file, tests]) => ({
      name: `/root/${file}`,
      status: Object.keys(tests).length === 0 || Object.values(tests).includes("failed") ? "failed" : "passed",
      assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
    })),
  };
}

describe("a lane", () => {
  it("is counted by its report, with a failure for each file that could not be loaded", () => {
    const files = { "a.test.ts": { one: "passed", two: "failed", three: "pending" }, "b.test.ts": {} } as const;
    expect(count(report(files))).toEqual({ passed: 1, failed: 2, skipped: 1 });
  });

  it("has failed when it left no report, or ran nothing", () => {
    expect(count(undefined).failed).toBe(1);
    expect(count(report({})).failed).toBe(1);
    expect(count(report({ "a.test.ts": { one: "pending" } })).failed).toBe(1);
  });

  it("of core's is seen to leave out a file, a test, and one that is only skipped there", () => {
    const node = report({
      "core/src/a.test.ts": { one: "passed", two: "passed" },
      "core/src/b.test.ts": { one: "passed" },
      "adapters/sqlite/src/c.test.ts": { one: "passed" },
    });
    expect(leftOut(node, node, "/root")).toEqual([]);
    const lane = report({ "core/src/a.test.ts": { one: "passed", two: "pending" } });
    expect(leftOut(node, lane, "/root")).toEqual(["core/src/a.test.ts: two", "core/src/b.test.ts: one"]);
  });
});
