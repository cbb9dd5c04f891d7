/*
 * What every storage and every runner must do, as suites for vitest: an adapter's test is one call. Apart from the test
 * kit, which imports no test runner.
 */
export { localLane, type RunnerLane } from "./runner-lane.ts";
export * from "./runner-suite.ts";
export { runnerWorkflows } from "./runner-workflows.ts";
export * from "./storage-fixtures.ts";
export * from "./storage-suite.ts";
