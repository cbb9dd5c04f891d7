import { type ErrorCode, type ErrorDetails, HephaestusError } from "../definition/errors.ts";
import type { StepNode } from "../definition/graph.ts";
import type { JsonText } from "../definition/json.ts";
import { refuseOption } from "../definition/refuse-option.ts";
import { TIMEOUT_EVENT } from "../definition/step.ts";
import type { Writable } from "../definition/writable.ts";
import type { EventCommand, EventReply, ScheduleCommand } from "./commands.ts";
import type { Draft } from "./draft.ts";
import { deliver, longestWaiting } from "./inbox.ts";
import { INBOX_LENGTH_MAX } from "./limits.ts";
import { refuseStatus } from "./refuse.ts";
import { type InboxItem, isEnded, isSettled } from "./run-state.ts";
import type { StepState } from "./state.ts";

/**
 * Gives an event to the step that has waited for it longest, or keeps it for one that still may.
 * @throws HephaestusError EVENT_UNDECLARED, UNKNOWN_STEP, EVENT_NOT_EXPECTED, STATUS_REFUSES, LIMIT_EXCEEDED
 */
export function decideEvent(draft: Draft, command: EventCommand): EventReply {
  const { commandId, event, payload, step } = command;
  const receivers = receiversOf(draft, event, step);
  refuseAfterEnd(draft);
  if (draft.status !== "failed" && receivers.every((node) => isOver(draft.at(node.index)))) {
    const details = { event, ...(step === undefined ? {} : { step }), id: draft.base.id };
    throw new HephaestusError("EVENT_NOT_EXPECTED", `no step of ${draft.base.id} can take ${event} any more`, details);
  }
  const item = itemOf(draft, command);
  const taker = draft.paused ? undefined : longestWaiting(draft, item);
  if (taker === undefined) return queue(draft, item, payload);
  draft.accept(item, payload);
  deliver(draft, taker, item);
  draft.remember(commandId, "event", "delivered");
  return "delivered";
}

/**
 * Keeps an event of which nothing is known but its name, since the code is not there.
 * @throws HephaestusError STATUS_REFUSES, LIMIT_EXCEEDED
 */
export function queueEvent(draft: Draft, command: EventCommand): EventReply {
  refuseAfterEnd(draft);
  return queue(draft, itemOf(draft, command), command.payload);
}

/** What failed may be retried, and take its events then. */
function refuseAfterEnd(draft: Draft): void {
  if (draft.status === "compensating" || draft.status === "completed" || draft.status === "cancelled") {
    refuseStatus(draft, "an event");
  }
}

function itemOf({ revision, now }: Draft, { commandId, event, step, payload }: EventCommand): InboxItem {
  const item: Writable<InboxItem> = { id: commandId, event, revision, at: now };
  if (step !== undefined) item.step = step;
  if (payload !== undefined) item.payload = true;
  return item;
}

function queue(draft: Draft, item: InboxItem, payload: JsonText | undefined): EventReply {
  if (draft.untakenCount >= INBOX_LENGTH_MAX) {
    const message = `the inbox of ${draft.base.id} holds ${INBOX_LENGTH_MAX} events that no step has taken`;
    throw new HephaestusError("LIMIT_EXCEEDED", message, { limit: "INBOX_LENGTH_MAX", most: INBOX_LENGTH_MAX });
  }
  draft.accept(item, payload);
  draft.remember(item.id, "event", "queued");
  return "queued";
}

/** Whether a step can take no event any more: a choice is made after its own event has come. */
function isOver(step: StepState | undefined): boolean {
  return isSettled(step) || step?.status === "choosing";
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

/**
 * Sets the timer of a waiting step, in place of the one that it has.
 * @throws HephaestusError UNKNOWN_STEP, EVENT_UNDECLARED, EVENT_NOT_EXPECTED, OPTION_INVALID, STATUS_REFUSES
 */
export function decideSchedule(draft: Draft, command: ScheduleCommand): { wakeAt: number } {
  const { step: name } = command;
  if (isEnded(draft.status) || draft.status === "compensating") refuseStatus(draft, "a timer");
  const node = draft.node(name);
  const refuse = (code: ErrorCode, message: string, details: ErrorDetails = {}): never => {
    throw new HephaestusError(code, message, { step: name, ...details });
  };
  if (node === undefined) {
    const message = `workflow ${draft.graph.workflow} has no step ${JSON.stringify(name)}`;
    return refuse("UNKNOWN_STEP", message, { field: "step" });
  }
  const event = command.event ?? onlyEvent(node);
  if (!node.routes.has(event)) {
    return refuse("EVENT_UNDECLARED", `step ${name} has no event ${JSON.stringify(event)}`, { event, field: "event" });
  }
  const step = draft.step(name);
  if (step?.status !== "waiting") {
    const status = step?.status ?? "idle";
    return refuse("EVENT_NOT_EXPECTED", `step ${name} is ${status}, not waiting`, { status });
  }
  const wakeAt = draft.now + command.delayMs;
  draft.set(name, { ...step, wakeAt, wakeEvent: event });
  draft.remember(command.commandId, "schedule", { wakeAt });
  return { wakeAt };
}

/** @throws HephaestusError OPTION_INVALID */
function onlyEvent({ name, routes }: StepNode): string {
  const [first = "", ...others] = routes.keys();
  if (routes.has(TIMEOUT_EVENT)) return TIMEOUT_EVENT;
  if (others.length === 0) return first;
  const message = `step ${name} has the events ${[first, ...others].join(", ")}: name one`;
  refuseOption("event", message);
}
