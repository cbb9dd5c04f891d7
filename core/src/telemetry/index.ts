export * from "./bus.ts";
export * from "./derive.ts";
export type { ErrorFacts, InstanceFacts, TelemetryEvent, TelemetryName } from "./events.ts";
export * from "./log-handler.ts";
export * from "./metric-recorder.ts";
export * from "./metrics.ts";
export type { EventSink, TelemetryProbe } from "./probe.ts";
export * from "./prometheus.ts";
