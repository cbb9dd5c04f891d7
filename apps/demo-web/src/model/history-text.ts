import type { HistoryEntry, Json, StoredError } from "@hephaestus/core";

/** A history entry as it is read: one line, and what can be opened below it. */
export interface HistoryLine {
  /** Decides the colour of its mark. */
  readonly tone: string;
  readonly subject: string;
  readonly text: string;
  readonly detail?: Json;
  readonly error?: StoredError;
}

export function historyLine(entry: HistoryEntry): HistoryLine {
  switch (entry.type) {
    case "started":
      return {
        tone: "pending",
        subject: `${entry.workflow}@${entry.version}`,
        text: entry.run === 1 ? "started" : `started, run ${entry.run}`,
        ...withDetail(entry.input),
      };
    case "step":
      return {
        tone: entry.compensation ? "compensating" : entry.status,
        subject: entry.step,
        text: stepText(entry),
        ...withDetail(entry.result),
        ...(entry.error ? { error: entry.error } : {}),
      };
    case "event":
      return {
        tone: "event",
        subject: entry.event,
        text: entry.consumed ? "event accepted" : "event accepted, not taken by a step",
        ...withDetail(entry.payload),
      };
    case "command":
      return { tone: "command", subject: entry.command, text: "command" };
    case "status":
      return {
        tone: entry.status,
        subject: "instance",
        text: entry.status,
        ...(entry.error ? { error: entry.error } : {}),
      };
  }
}

function withDetail(value: Json | undefined): { readonly detail?: Json } {
  return value === undefined ? {} : { detail: value };
}

function stepText(entry: Extract<HistoryEntry, { type: "step" }>): string {
  const { status, event, attempt, wakeAt, at, error } = entry;
  if (entry.compensation) return `compensation ${entry.compensation}`;
  const nth = attempt > 1 ? `, attempt ${attempt}` : "";
  switch (status) {
    case "active":
      return error !== undefined && wakeAt !== undefined && wakeAt > at
        ? "failed, will be tried again"
        : `to run${nth}`;
    case "completed":
      return event === undefined || event === "done" ? `completed${nth}` : `completed: ${event}${nth}`;
    case "waiting":
      return "waits";
    case "idle":
      return "reset";
    case "choosing":
    case "skipped":
    case "cancelled":
    case "failed":
      return status;
  }
}
