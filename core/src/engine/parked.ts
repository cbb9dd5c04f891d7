import { HephaestusError } from "../definition/errors.ts";
import { NO_GRAPH } from "../definition/graph.ts";
import type { Json } from "../definition/json.ts";
import type { Command, Reply } from "./commands.ts";
import { cancel, forget, pause, unpause } from "./control.ts";
import { type Decision, knownReply } from "./decide.ts";
import { Draft } from "./draft.ts";
import { queueEvent } from "./events.ts";
import { notFound } from "./refuse.ts";
import { isEnded, type RunState } from "./run-state.ts";
import type { Ending, Timestamp } from "./state.ts";

/**
 * Decides what can be said to an instance without its code: events wait in its inbox, a pause and a cancel are recorded
 * and done when the code is back, a delete needs no code. The row of the instance says that a runner which has the code
 * must look at it at once.
 */
export function decideParked(state: RunState, commands: readonly Command[], now: Timestamp): Decision {
  const draft = new Draft(state, NO_GRAPH, now);
  const replies = commands.map((command) => replyTo(draft, command));
  const changes = draft.changes();
  const writesHeader = changes?.status !== undefined || draft.lookAt !== undefined;
  return { changes, payloads: draft.payloads, writesHeader, replies, draft };
}

function replyTo(draft: Draft, command: Command): Reply {
  const known = "commandId" in command ? draft.command(command.commandId) : undefined;
  if (known) return knownReply(known, command);
  try {
    if (draft.base.info === undefined || draft.status === "deleted") throw notFound(draft.base.id);
    return { value: decideOne(draft, command) };
  } catch (error) {
    if (!(error instanceof HephaestusError)) throw error;
    return { error };
  }
}

function decideOne(draft: Draft, command: Command): Json {
  switch (command.type) {
    case "event":
      queueEvent(draft, command);
      lookAtOnce(draft);
      return "queued";
    case "pause":
      pause(draft);
      draft.status = "paused";
      break;
    case "unpause":
      unpause(draft);
      draft.status = draft.active > 0 ? "running" : "waiting";
      lookAtOnce(draft);
      break;
    case "cancel":
      cancel(
        draft,
        Array.from(draft.base.steps, ([name]) => name),
        beginToEnd,
      );
      lookAtOnce(draft);
      break;
    case "delete":
      forget(draft);
      break;
    case "start": {
      const { id, run } = draft.base;
      const details = { id, run, status: draft.status };
      throw new HephaestusError("ALREADY_RUNNING", `${id} is ${draft.status}`, details);
    }
    default:
      throw parkedError(draft);
  }
  draft.remember(command.commandId, command.type);
  return null;
}

function parkedError({ base: { id, info } }: Draft): HephaestusError {
  const { workflow, version } = info ?? {};
  const message = `${id} is parked: the code of ${workflow} version ${version} is not here, or has another graph`;
  return new HephaestusError("PARKED", message, { id, workflow, version });
}

/** What is to be cancelled and undone is known to the code alone: that it shall be is all that is said. */
function beginToEnd(draft: Draft, ending: Ending): void {
  draft.ending = ending;
  draft.paused = false;
  draft.status = "compensating";
}

function lookAtOnce(draft: Draft): void {
  if (!isEnded(draft.status)) draft.lookAt = draft.now;
}
