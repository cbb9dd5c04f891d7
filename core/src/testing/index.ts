export { type Mock, type MockContext, mock } from "./mock.ts";
export { NotReachedError } from "./reach.ts";
export * from "./simulation/index.ts";
export { type TestEngine, type TestEngineOptions, type TestedInstance, testEngine } from "./test-engine.ts";
export * from "./virtual-clock.ts";
