import { unreachable } from "../definition/errors.ts";
import type { Json } from "../definition/json.ts";
import { decideAdopt } from "./adopt.ts";
import type { ControlCommand, StartCommand, StartReply } from "./commands.ts";
import { deliverWaiting } from "./deliver-waiting.ts";
import type { Draft } from "./draft.ts";
import { beginEnding, redoCompensation } from "./ending.ts";
import { propagate } from "./joins.ts";
import { CANCEL_GRACE_MS, COMMAND_RETENTION_MS } from "./limits.ts";
import { refuseStatus } from "./refuse.ts";
import { decideRetry } from "./retry-run.ts";
import { isEnded } from "./run-state.ts";
import { type CommandRecord, type Ending, STATE_FORMAT } from "./state.ts";
import { fireDue, retentionEnd } from "./timers.ts";

/**
 * Begins a run.
 * @param draft over an empty run whose number and revision are those of the run before
 */
export function decideStart(draft: Draft, command: StartCommand, earlier: readonly CommandRecord[]): StartReply {
  const run = draft.base.run + 1;
  draft.info = {
    format: STATE_FORMAT,
    run,
    ...command.info,
    ...(earlier.length > 0 ? { commands: earlier } : {}),
  };
  draft.fingerprint = command.info.fingerprint;
  draft.status = "pending";
  if (command.input !== undefined) draft.payload("input", command.input);
  for (const index of draft.graph.starts) {
    draft.take(index);
    draft.resolve(index);
  }
  draft.remember(command.commandId, "start", { run });
  return { run };
}

/** The commands that a late redelivery may still name, when their run has ended and another begins or none is left. */
export function unexpiredCommands({ base, now }: Draft): CommandRecord[] {
  const until = (base.endedAt ?? now) + COMMAND_RETENTION_MS;
  return [...base.commands.values()]
    .map((command) => ({ ...command, until: command.until ?? until }))
    .filter((command) => command.until > now);
}

/**
 * @param runner the id of the runner of which it is asked
 * @throws HephaestusError STATUS_REFUSES
 */
export function decideControl(draft: Draft, command: ControlCommand, runner: string | undefined): Json {
  switch (command.type) {
    case "pause":
      pause(draft);
      break;
    case "unpause":
      unpause(draft);
      goOn(draft);
      break;
    case "cancel":
      cancel(draft, draft.effects(), beginEnding);
      break;
    case "retry":
      // What failed in this very commit was not seen to fail by whoever asks: the retry came before.
      if (draft.status !== "failed" || draft.steps.size > 0) refuseStatus(draft, "retry");
      decideRetry(draft);
      break;
    case "adopt":
      decideAdopt(draft, runner);
      goOn(draft);
      break;
    case "delete":
      if (!isEnded(draft.status)) refuseStatus(draft, "delete");
      forget(draft);
      break;
    default:
      unreachable(command.type);
  }
  draft.remember(command.commandId, command.type);
  return null;
}

/** @throws HephaestusError STATUS_REFUSES, as all of these */
export function pause(draft: Draft): void {
  if (isEnded(draft.status) || draft.status === "compensating") refuseStatus(draft, "pause");
  draft.paused = true;
}

export function unpause(draft: Draft): void {
  if (!draft.paused || isEnded(draft.status)) refuseStatus(draft, "unpause");
  draft.paused = false;
}

/**
 * @param effects the steps among which are those that could not be undone
 * @param begin ends a run that goes on
 */
export function cancel(draft: Draft, effects: Iterable<string>, begin: (draft: Draft, ending: Ending) => void): void {
  if (draft.status === "completed" || draft.status === "cancelled") refuseStatus(draft, "cancel");
  if (draft.status === "compensating") return;
  if (draft.status === "failed") {
    draft.ending = { ...draft.ending, outcome: "cancelled", until: draft.now };
    draft.status = "compensating";
    draft.redo = true;
    for (const name of [...effects]) redoCompensation(draft, name);
  } else {
    begin(draft, { outcome: "cancelled", until: draft.now + CANCEL_GRACE_MS });
  }
}

/** Leaves a tombstone, which holds nothing but the commands that may be delivered again. */
export function forget(draft: Draft): void {
  for (const command of unexpiredCommands(draft)) draft.record(command);
  draft.owner = undefined;
  draft.lookAt = undefined;
  draft.status = "deleted";
}

/** Forgets an ended run whose time is over. */
export function forgetDue(draft: Draft): void {
  const end = isEnded(draft.status) ? retentionEnd(draft) : undefined;
  if (end !== undefined && end <= draft.now) forget(draft);
}

/** Events that came in time go before timers that came due meanwhile, one after the other as if they came now. */
function goOn(draft: Draft): void {
  // What the graph now says of joins comes first.
  propagate(draft);
  deliverWaiting(draft);
  fireDue(draft);
}
