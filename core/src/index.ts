export * from "./definition/duration.ts";
export * from "./definition/errors.ts";
export { DONE, type Graph, NO_GRAPH, type StepNode } from "./definition/graph.ts";
export * from "./definition/json.ts";
export { checkKey, instanceIdOf } from "./definition/key.ts";
export { DefinitionError, type Problem, type ProblemCode } from "./definition/problems.ts";
export { RETRY_DEFAULT } from "./definition/retry-policy.ts";
export { type OutputOf, type Schema, type } from "./definition/schema.ts";
export type { Signal } from "./definition/signal.ts";
export * from "./definition/step.ts";
export type { Choice, ChoiceContext, Edges, Unique, WorkflowDefinition } from "./definition/transitions.ts";
export { utf8Length } from "./definition/utf8.ts";
export { type AnyVersions, defineVersions, type VersionFor, type Versions } from "./definition/versions.ts";
export {
  type AnyWorkflow,
  defineWorkflow,
  type Workflow,
  type WorkflowInput,
  type WorkflowOutput,
} from "./definition/workflow.ts";
export type * from "./engine/commands.ts";
export { type DecideContext, type Decision, decide } from "./engine/decide.ts";
export { Draft } from "./engine/draft.ts";
export { toHeader } from "./engine/header.ts";
export * from "./engine/limits.ts";
export { type PendingWork, pendingWork } from "./engine/pending.ts";
export { applyDecision, applyRecord, emptyRun, foldRecords, isEnded, type RunState } from "./engine/run-state.ts";
export type * from "./engine/state.ts";
export { STATE_FORMAT } from "./engine/state.ts";
export { Aborter } from "./runtime/aborter.ts";
export { type AttemptReport, runAttempt } from "./runtime/attempt.ts";
export type { AttemptInput, AttemptPorts } from "./runtime/attempt-context.ts";
export { attemptInput } from "./runtime/attempts.ts";
export type { CommandOptions, StartOptions } from "./runtime/caller-options.ts";
export { pickTargets } from "./runtime/choice.ts";
export { type Clock, makeId, type Random, systemClock, systemRandom } from "./runtime/clock.ts";
export { Driver } from "./runtime/driver.ts";
export type { DrivenInstance, DriverHost } from "./runtime/driver-host.ts";
export {
  type CheckedFilter,
  checkFilter,
  checkPath,
  comparePositions,
  encodeCursor,
  LISTED_STATUSES,
  matchesFilter,
  type Position,
  toPage,
  toSummary,
} from "./runtime/filter.ts";
export * from "./runtime/hephaestus.ts";
export { type HistoryEntry, readHistory } from "./runtime/history.ts";
export { type InstanceView, loadPayloads, type StepView, toInstanceView } from "./runtime/instance-view.ts";
export { loadState } from "./runtime/load-state.ts";
export { type LocalRunnerOptions, type LocalRunnerPorts, localRunner } from "./runtime/local-runner.ts";
export { memoryStorage, mergeHeader } from "./runtime/memory-storage.ts";
export { type Code, makeRegistry, type Registry } from "./runtime/registry.ts";
export {
  checkRequest,
  type InstanceChange,
  type InstanceRequest,
  type Runner,
  toChange,
  toStanding,
} from "./runtime/runner.ts";
export * from "./runtime/storage.ts";
export { fromStoredError, toStoredError } from "./runtime/stored-error.ts";
export * from "./telemetry/index.ts";
