import type { HistoryEntry, InstanceView } from "@hephaestus/core";

const MARKS: Readonly<Record<string, string>> = {
  completed: "✔",
  failed: "✘",
  cancelled: "⊘",
  skipped: "·",
  waiting: "…",
  active: "▸",
};

/** The history of an instance, a line for each thing that happened, with the time since its start. */
export function timeline(
  { id, status }: Pick<InstanceView, "id" | "status">,
  history: readonly HistoryEntry[],
): string {
  const start = history[0]?.at ?? 0;
  const lines = history.flatMap((entry) => {
    const text = describe(entry);
    return text === undefined ? [] : [`  ${`+${entry.at - start} ms`.padStart(11)}  ${text}`];
  });
  return [`${id}  ${status}`, ...lines].join("\n");
}

function describe(entry: HistoryEntry): string | undefined {
  switch (entry.type) {
    case "started":
      return `started ${entry.workflow} version ${entry.version}, run ${entry.run}`;
    case "event":
      return `✉ ${entry.event}${entry.payload === undefined ? "" : ` ${short(entry.payload)}`}${entry.consumed ? "" : " (not taken)"}`;
    case "command":
      return `${entry.command} was asked for`;
    case "status":
      return `is ${entry.status}${entry.error ? `: ${entry.error.message}` : ""}`;
    case "step": {
      const { status, step, event, result, attempt, error } = entry;
      if (status === "active" && attempt === 1) return undefined;
      const again = attempt > 1 ? ` (attempt ${attempt})` : "";
      const outcome = status === "completed" && event !== undefined ? ` → ${event}` : "";
      return `${MARKS[status] ?? "?"} ${step} ${status}${again}${outcome} ${short(result ?? error?.message)}`.trimEnd();
    }
  }
}

function short(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
}
