import { expect, it } from "vitest";
import type { TelemetryEvent } from "./events.ts";
import { type LogEntry, type LogHandlerOptions, logHandler, toLogLine } from "./log-handler.ts";

const facts = { workflow: "flow", version: 1, id: "flow/n::1", run: 1, telemetry: { request: "r 1" } };
const failed: TelemetryEvent = {
  name: "step:exception",
  measurements: { systemTime: 0, durationMs: undefined },
  metadata: {
    ...facts,
    step: "charge",
    attempt: 2,
    kind: "error",
    reason: `no "card"\nlevel=info`,
    code: undefined,
    stack: "Error\n  at x",
    willRetry: true,
  },
};
const async: TelemetryEvent = {
  name: "step:async",
  measurements: { systemTime: 0, durationMs: 3 },
  metadata: { ...facts, step: "hold", attempt: 1, wakeAt: undefined },
};

function entriesOf(events: readonly TelemetryEvent[], levels?: LogHandlerOptions["levels"]): LogEntry[] {
  const entries: LogEntry[] = [];
  const handle = logHandler({ write: (entry) => void entries.push(entry), ...(levels ? { levels } : {}) });
  for (const event of events) handle(event);
  return entries;
}

it("writes each event at its level, with all that it says", () => {
  const [error, debug] = entriesOf([failed, async]);
  expect(error).toEqual({ level: "error", name: "step:exception", ...failed.measurements, ...failed.metadata });
  expect(debug?.level).toBe("debug");
});

it("takes other levels, or none", () => {
  expect(entriesOf([failed, async], { "step:exception": "off", "step:async": "warn" })).toMatchObject([
    { level: "warn", name: "step:async" },
  ]);
});

it("writes one line that no value can break", () => {
  const [entry] = entriesOf([failed]);
  expect(toLogLine(entry!)).toBe(
    `error step:exception systemTime=0 workflow=flow version=1 id=flow/n::1 run=1 telemetry={"request":"r 1"} ` +
      `step=charge attempt=2 kind=error reason="no \\"card\\"\\nlevel=info" willRetry=true`,
  );
  const steering = toLogLine({ level: "info", name: "step:stop", step: "a\u001b[2J\u2028\u0085b" });
  expect(steering).toBe(String.raw`info step:stop step="a\u001b[2J\u2028\u0085b"`);
});
