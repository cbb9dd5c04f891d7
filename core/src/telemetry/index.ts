export * from "./bus.ts";
export * from "./derive.ts";
export {
  type ErrorFacts,
  type InstanceFacts,
  runnerInit,
  stepStart,
  type TelemetryEvent,
  type TelemetryName,
  workflowPark,
} from "./events.ts";
export * from "./log-handler.ts";
export * from "./metric-recorder.ts";
export * from "./metrics.ts";
export * from "./prometheus.ts";
