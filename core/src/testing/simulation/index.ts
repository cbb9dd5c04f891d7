export { CANARIES, type Canary } from "./canaries.ts";
export type { Gifts } from "./commands.ts";
export { addCoverage, type Coverage, emptyCoverage, neverMet } from "./coverage.ts";
export { makePlan } from "./make-plan.ts";
export type { Action, Fault, FaultKind, Operation, Plan, PlannedEdition, Port, Settings } from "./plan.ts";
export { shrink } from "./shrink.ts";
export { type SimulationOptions, type SimulationResult, simulate } from "./simulate.ts";
export { INVARIANTS, type Invariant, Violation } from "./violation.ts";
