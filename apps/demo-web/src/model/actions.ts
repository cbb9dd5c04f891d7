import type { Graph, InstanceView, RunStatus } from "@hephaestus/core";
import type { Action } from "../source/instance-source.ts";

/** What the engine would not refuse in this status, most useful first. */
export function allowedActions(status: RunStatus): readonly Action[] {
  switch (status) {
    case "pending":
    case "running":
    case "waiting":
      return ["pause", "cancel"];
    case "paused":
      return ["unpause", "cancel"];
    case "failed":
      return ["retry", "restart", "cancel"];
    case "completed":
    case "cancelled":
      return ["restart"];
    case "compensating":
    case "deleted":
      return [];
  }
}

/** An event that can be sent now. */
export interface OfferedEvent {
  readonly event: string;
  /** The step that takes it. */
  readonly step: string;
  /** The step is not waiting yet: the event is kept for it. */
  readonly early: boolean;
}

/** Events of steps that wait now come first, then those that a step may still come to wait for; each once. */
export function offeredEvents(graph: Graph, { status, steps }: InstanceView): readonly OfferedEvent[] {
  if (status === "completed" || status === "cancelled" || status === "compensating" || status === "deleted") return [];
  const offers = graph.nodes.flatMap((node) => {
    const step = steps[node.name]?.status ?? "idle";
    const early = step !== "waiting";
    // A step that runs takes its events from its own code, unless it said that it waits for them.
    if (early && (step !== "idle" || node.kind !== "event")) return [];
    return [...node.receives].map((event) => ({ event, step: node.name, early }));
  });
  const sorted = [...offers.filter((offer) => !offer.early), ...offers.filter((offer) => offer.early)];
  return sorted.filter((offer, index) => sorted.findIndex(({ event }) => event === offer.event) === index);
}
