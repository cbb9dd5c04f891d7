import { HephaestusError, unreachable } from "../definition/errors.ts";
import type { StepNode } from "../definition/graph.ts";
import type { Json } from "../definition/json.ts";
import type { ControlCommand, StartCommand, StartReply } from "./commands.ts";
import type { Draft } from "./draft.ts";
import { advanceEnding, beginEnding } from "./ending.ts";
import { takeFromInbox } from "./inbox.ts";
import { CANCEL_GRACE_MS, COMMAND_RETENTION_MS } from "./limits.ts";
import { refuseStatus } from "./refuse.ts";
import { isEnded } from "./run-state.ts";
import { type CommandRecord, STATE_FORMAT, type StepState } from "./state.ts";
import { fireDue } from "./timers.ts";

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

/** The commands that a late redelivery may still name. */
export function unexpiredCommands(draft: Draft): CommandRecord[] {
  const records = [...draft.base.commands.values(), ...draft.commands];
  return records.filter((command) => command.at + COMMAND_RETENTION_MS > draft.now);
}

/** @throws HephaestusError STATUS_REFUSES */
export function decideControl(draft: Draft, command: ControlCommand): Json {
  switch (command.type) {
    case "pause":
      if (isEnded(draft.status) || draft.status === "compensating") refuseStatus(draft, "pause");
      draft.paused = true;
      break;
    case "unpause":
      if (!draft.paused) refuseStatus(draft, "unpause");
      unpause(draft);
      break;
    case "cancel":
      decideCancel(draft);
      break;
    case "retry":
      if (draft.status !== "failed") refuseStatus(draft, "retry");
      decideRetry(draft);
      break;
    case "adopt":
      decideAdopt(draft);
      break;
    case "delete":
      if (!isEnded(draft.status)) refuseStatus(draft, "delete");
      draft.commands.push(...unexpiredCommands(draft));
      draft.status = "deleted";
      break;
    default:
      unreachable(command.type);
  }
  draft.remember(command.commandId, command.type);
  return null;
}

/** Events that came in time go before timers that came due meanwhile. */
function unpause(draft: Draft): void {
  draft.paused = false;
  for (const name of [...draft.open()]) {
    if (draft.step(name)?.status === "waiting") takeFromInbox(draft, draft.node(name) as StepNode);
  }
  fireDue(draft);
}

function decideCancel(draft: Draft): void {
  if (draft.status === "completed" || draft.status === "cancelled") refuseStatus(draft, "cancel");
  if (draft.status === "compensating") return;
  draft.paused = false;
  if (draft.status === "failed") {
    draft.ending = { ...draft.ending, outcome: "cancelled", until: draft.now };
    draft.status = "compensating";
  } else {
    beginEnding(draft, { outcome: "cancelled", until: draft.now + CANCEL_GRACE_MS });
  }
  advanceEnding(draft);
}

/**
 * Runs again what failed, what the failure cancelled, what was compensated, and all that came after those. Compensated
 * steps get a new epoch, so that their effects are new ones; the others keep their idempotency key.
 */
function decideRetry(draft: Draft): void {
  const { graph } = draft;
  const reset = new Set<number>();
  for (const node of graph.nodes) {
    const step = draft.step(node.name);
    const failed = step?.status === "failed" && node.onFailure === undefined;
    const cancelled = step?.status === "cancelled" && !step.outrun;
    if (failed || cancelled || step?.compensation !== undefined) reset.add(node.index);
  }
  for (const index of reset) for (const target of (graph.nodes[index] as StepNode).targets) reset.add(target);
  draft.ending = undefined;
  draft.status = "running";
  for (const node of graph.nodes) {
    const step = draft.step(node.name);
    if (step?.status === "completed" && step.targets?.length === 0 && !reset.has(node.index)) retake(draft, node, step);
  }
  for (const index of reset) {
    const { name } = graph.nodes[index] as StepNode;
    const step = draft.step(name);
    if (step === undefined) continue;
    const { epoch = 0, attempt = 1 } = step;
    const compensated = step.compensation !== undefined;
    draft.set(name, {
      status: "idle",
      attempt: attempt + 1,
      ...(epoch + Number(compensated) > 0 ? { epoch: epoch + Number(compensated) } : {}),
      ...(step.checkpoints && !compensated ? { checkpoints: step.checkpoints } : {}),
    });
  }
  draft.recount();
}

/** What completed while the run was ending took no edges: now it does. */
function retake(draft: Draft, node: StepNode, step: StepState): void {
  const { targets: _targets, ...completed } = step;
  const choosing = node.routes.get(step.event ?? "")?.choice;
  draft.set(node.name, choosing ? { ...completed, status: "choosing" } : completed);
}

/** Goes on under other code, if every step that was touched and every edge that was taken is still there. */
function decideAdopt(draft: Draft): void {
  const { graph, base } = draft;
  if (isEnded(draft.status)) refuseStatus(draft, "adopt");
  for (const [name, step] of base.steps) {
    const node = graph.byName.get(name);
    const lost =
      node === undefined
        ? `step ${name}`
        : step.event !== undefined && !node.routes.has(step.event)
          ? `event ${step.event} of ${name}`
          : step.targets?.find((target) => target !== "done" && !graph.byName.has(target));
    if (lost !== undefined) {
      throw new HephaestusError("PARKED", `${base.id} cannot go on with this code: ${lost} is gone`, {
        id: base.id,
        lost,
      });
    }
  }
  draft.fingerprint = graph.fingerprint;
  draft.recount();
}
