export * from "./storage-suite.ts";
