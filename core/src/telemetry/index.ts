export {
  HANDLER_FAILURES_MAX,
  type HandlerFailure,
  type TelemetryBus,
  type TelemetryBusOptions,
  type TelemetrySelector,
  telemetryBus,
} from "./bus.ts";
export { type CommitContext, eventsOfCommit } from "./derive.ts";
export {
  type ErrorFacts,
  type InstanceFacts,
  runnerInit,
  stepStart,
  type TelemetryEvent,
  type TelemetryName,
  workflowPark,
} from "./events.ts";
export { type LogEntry, type LogHandlerOptions, type LogLevel, logHandler, toLogLine } from "./log-handler.ts";
export { type MetricRecorder, type MetricSeries, type MetricSnapshot, recordMetrics } from "./metric-recorder.ts";
export { METRICS, type Metric } from "./metrics.ts";
export { PROMETHEUS_TYPE, toPrometheus } from "./prometheus.ts";
