import type { StepNode } from "../definition/graph.ts";
import type { GraphEdge } from "./edges.ts";

/** What is written at an edge; nothing for the event that a step has when it names none. */
export function labelOf({ events, choices, failure }: GraphEdge): string {
  const words = events.flatMap((event) => {
    if (choices.includes(event)) return [event === "done" ? "(choose)" : `${event} (choose)`];
    return event === "done" && !failure ? [] : [event];
  });
  return [...words, ...(failure ? ["failed"] : [])].join(", ");
}

/** What a step does besides running once all that leads to it is settled, as short remarks. */
export function notesOf(node: StepNode): readonly string[] {
  const { kind, durationMs, atLeast, inDegree, cancels, onFailure } = node;
  const notes: string[] = [];
  const time = durationMs === undefined ? "" : durationText(durationMs);
  if (kind === "timer") notes.push(`waits ${time}`);
  if (kind === "event") notes.push(time === "" ? "waits for an event" : `waits for an event, at most ${time}`);
  if (atLeast !== undefined) {
    const join = atLeast === 1 ? `any of ${inDegree}` : `at least ${atLeast} of ${inDegree}`;
    notes.push(cancels.length > 0 ? `${join}, cancels the rest` : join);
  }
  if (onFailure === "skip") notes.push("skipped when it fails");
  return notes;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
  ["millisecond", 1],
] as const;

function durationText(milliseconds: number): string {
  let rest = milliseconds;
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? "" : "s"}`];
  });
  return parts.join(" ") || "0 seconds";
}
