import type { TelemetryEvent, TelemetryName } from "./events.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of a log as an object: its level, the event's name, and all that the event measures and tells. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly name: TelemetryName;
  readonly [field: string]: unknown;
}

export interface LogHandlerOptions {
  /** Where entries go: as objects, or as text by `toLogLine` or `JSON.stringify`. */
  readonly write: (entry: LogEntry) => void;
  /** Levels other than the usual ones; "off" writes nothing. */
  readonly levels?: { readonly [Name in TelemetryName]?: LogLevel | "off" };
}

/** What is not named here is for debugging. */
const LEVELS: { readonly [Name in TelemetryName]?: LogLevel } = {
  "workflow:start": "info",
  "workflow:stop": "info",
  "workflow:cancel": "info",
  "workflow:exception": "error",
  "workflow:park": "warn",
  "step:start": "info",
  "step:stop": "info",
  "step:exception": "error",
  "step:retry": "warn",
  "runner:init": "info",
};

/**
 * Makes a handler that writes events to a log.
 * @example
 * telemetry.attach("log", "*", logHandler({
 *   write: (entry) => console[entry.level](toLogLine(entry)),
 *   levels: { "step:start": "off" },
 * }));
 */
export function logHandler({ write, levels = {} }: LogHandlerOptions): (event: TelemetryEvent) => void {
  return ({ name, measurements, metadata }) => {
    const level = levels[name] ?? LEVELS[name] ?? "debug";
    if (level !== "off") write({ level, name, ...measurements, ...metadata });
  };
}

/**
 * An entry as one line: the level, the name, and `field=value` for what is known. No value can break the line or feign
 * a field: what is not a plain word stands in quotes as JSON. Stacks are left out.
 * @example
 * toLogLine({ level: "info", name: "step:stop", step: "charge", durationMs: 12 }); // => "info step:stop step=charge durationMs=12"
 */
export function toLogLine({ level, name, ...fields }: LogEntry): string {
  const words: string[] = [level, name];
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && field !== "stack") words.push(`${field}=${toWord(value)}`);
  }
  return words.join(" ");
}

function toWord(value: unknown): string {
  if (typeof value === "string" && /^[\w.:@/#~+-]+$/.test(value)) return value;
  // JSON leaves some characters as they are that end a line or steer a terminal.
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
