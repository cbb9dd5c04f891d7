import { HephaestusError } from "../definition/errors.ts";
import type { StepNode } from "../definition/graph.ts";
import type { EventCommand, EventReply, ScheduleCommand } from "./commands.ts";
import type { Draft } from "./draft.ts";
import { deliver } from "./inbox.ts";
import { INBOX_LENGTH_MAX } from "./limits.ts";
import { refuseStatus } from "./refuse.ts";
import { isSettled } from "./run-state.ts";

/**
 * Gives an event to the step that has waited for it longest, or keeps it for one that still may.
 * @throws HephaestusError EVENT_UNDECLARED, UNKNOWN_STEP, EVENT_NOT_EXPECTED, STATUS_REFUSES, LIMIT_EXCEEDED
 */
export function decideEvent(draft: Draft, command: EventCommand): EventReply {
  const { commandId, event, payload, step } = command;
  const receivers = receiversOf(draft, event, step);
  if (draft.status === "compensating" || draft.status === "completed" || draft.status === "cancelled") {
    refuseStatus(draft, "an event");
  }
  const open = receivers.filter((node) => !isSettled(draft.step(node.name)) || draft.status === "failed");
  if (open.length === 0) {
    const details = { event, ...(step === undefined ? {} : { step }), id: draft.base.id };
    throw new HephaestusError("EVENT_NOT_EXPECTED", `no step of ${draft.base.id} can take ${event} any more`, details);
  }
  if (draft.base.inbox.size + draft.inbox.size >= INBOX_LENGTH_MAX) {
    const message = `the inbox of ${draft.base.id} holds ${INBOX_LENGTH_MAX} events that no step has taken`;
    throw new HephaestusError("LIMIT_EXCEEDED", message, { limit: "INBOX_LENGTH_MAX", most: INBOX_LENGTH_MAX });
  }
  const entry = {
    id: commandId,
    event,
    ...(step === undefined ? {} : { step }),
    ...(payload === undefined ? {} : { payload: true as const }),
  };
  const item = draft.accept(entry, payload);
  const taker = draft.paused || draft.status === "failed" ? undefined : longestWaiting(draft, open);
  if (taker) deliver(draft, taker, item);
  const reply = taker ? "delivered" : "queued";
  draft.remember(commandId, "event", reply);
  return reply;
}

function receiversOf(draft: Draft, event: string, step: string | undefined): readonly StepNode[] {
  const all = draft.graph.receivers.get(event) ?? [];
  const details = { event, workflow: draft.graph.workflow };
  if (all.length === 0) {
    const message = `no step of workflow ${draft.graph.workflow} takes an event ${JSON.stringify(event)}`;
    throw new HephaestusError("EVENT_UNDECLARED", message, { ...details, field: "event" });
  }
  if (step === undefined) return all;
  const named = all.filter((node) => node.name === step);
  if (named.length > 0) return named;
  const known = draft.graph.byName.has(step);
  const message = known
    ? `step ${step} takes no event ${event}`
    : `workflow ${draft.graph.workflow} has no step ${JSON.stringify(step)}`;
  throw new HephaestusError(known ? "EVENT_UNDECLARED" : "UNKNOWN_STEP", message, { ...details, step, field: "step" });
}

function longestWaiting(draft: Draft, nodes: readonly StepNode[]): StepNode | undefined {
  const waiting = nodes.filter((node) => draft.step(node.name)?.status === "waiting");
  if (waiting.length < 2) return waiting[0];
  for (const name of draft.open()) {
    const node = waiting.find((one) => one.name === name);
    if (node) return node;
  }
  return undefined;
}

/**
 * Sets the timer of a waiting step.
 * @throws HephaestusError UNKNOWN_STEP, EVENT_UNDECLARED, STATUS_REFUSES
 */
export function decideSchedule(draft: Draft, command: ScheduleCommand): { wakeAt: number } {
  const node = draft.node(command.step);
  if (node === undefined) {
    throw new HephaestusError(
      "UNKNOWN_STEP",
      `workflow ${draft.graph.workflow} has no step ${JSON.stringify(command.step)}`,
      {
        step: command.step,
        field: "step",
      },
    );
  }
  if (!node.routes.has(command.event)) {
    throw new HephaestusError("EVENT_UNDECLARED", `step ${node.name} has no event ${JSON.stringify(command.event)}`, {
      step: node.name,
      event: command.event,
      field: "event",
    });
  }
  const step = draft.step(node.name);
  if (step?.status !== "waiting") {
    throw new HephaestusError("EVENT_NOT_EXPECTED", `step ${node.name} is ${step?.status ?? "idle"}, not waiting`, {
      step: node.name,
      status: step?.status ?? "idle",
    });
  }
  const wakeAt = draft.now + command.delayMs;
  draft.set(node.name, { ...step, wakeAt, wakeEvent: command.event });
  draft.remember(command.commandId, "schedule", { wakeAt });
  return { wakeAt };
}
