// biome-ignore lint/correctness/useImportExtensions: the point of this module
export * from "./second";
