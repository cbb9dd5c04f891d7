export * from "./definition/duration.ts";
export * from "./definition/errors.ts";
export * from "./definition/json.ts";
export type * from "./engine/state.ts";
export { STATE_FORMAT } from "./engine/state.ts";
export {
  type CheckedFilter,
  checkFilter,
  checkPath,
  comparePositions,
  matchesFilter,
  type Position,
  toPage,
  toSummary,
} from "./runtime/filter.ts";
export { memoryStorage, mergeHeader } from "./runtime/memory-storage.ts";
export * from "./runtime/storage.ts";
