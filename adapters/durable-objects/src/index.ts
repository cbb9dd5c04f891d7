export { type Edge, hephaestusEdge } from "./edge.ts";
export { InstanceObject } from "./instance-object.ts";
export { ObjectJournal } from "./journal.ts";
export { type AttemptToken, type ClaimAnswer, type ObjectApi, type ObjectNamespace, objectOf } from "./object-api.ts";
export { instanceObject } from "./object-class.ts";
export { type ObjectAddress, objectName } from "./object-name.ts";
export { objectRunner } from "./object-runner.ts";
export {
  type EdgeBindings,
  type EdgeOptions,
  type InstanceIndex,
  type StepMessage,
  TIMING_DEFAULT,
  type Timing,
} from "./options.ts";
