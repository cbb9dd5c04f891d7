export * from "./runner-suite.ts";
export { runnerWorkflows } from "./runner-workflows.ts";
export * from "./simulation/index.ts";
export * from "./storage-fixtures.ts";
export * from "./storage-suite.ts";
export * from "./virtual-clock.ts";
