export { type Edge, hephaestusEdge } from "./edge.ts";
export { InstanceObject, instanceObject } from "./instance-object.ts";
export { objectJournal } from "./journal.ts";
export type { AttemptToken, ClaimAnswer, ObjectApi } from "./object-api.ts";
export { objectRunner } from "./object-runner.ts";
export {
  type EdgeBindings,
  type EdgeOptions,
  type InstanceIndex,
  type StepMessage,
  TIMING_DEFAULT,
  type Timing,
} from "./options.ts";
export { consumeSteps } from "./queue-consumer.ts";
