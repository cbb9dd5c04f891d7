export * from "./storage-fixtures.ts";
export * from "./storage-suite.ts";
export * from "./virtual-clock.ts";
