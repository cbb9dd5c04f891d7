import { COMMAND_RETENTION_MS } from "../../engine/limits.ts";
import type { Changes, InboxEntry, RunStatus, Timestamp } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOver, isSettledStep, retentionEndOf } from "./account.ts";
import { type Coverage, meet } from "./coverage.ts";
import { hold } from "./violation.ts";

/** Checks what a commit says beside its steps, against how the instance stood before. @throws Violation */
export function checkRecord(
  account: Account,
  commit: Commit,
  latest: Timestamp,
  coverage: Coverage,
  isParked: boolean,
): void {
  const { expected, changes, run } = commit;
  const label = `revision ${expected + 1} of ${account.id}`;
  hold(expected === account.revision, "stale-commit", () => {
    return `a commit on revision ${expected} of ${account.id} succeeded, which is at ${account.revision}`;
  });
  hold(changes.at <= latest, "timer-early", () => {
    return `${label} says that it is ${changes.at}, the clock of its runner was never past ${latest}`;
  });
  if (changes.status === "deleted") {
    // What ended in the same commit shows in its steps, or in the command that ended it.
    const ends = changes.steps !== undefined || changes.commands?.some(({ type }) => type === "cancel") === true;
    hold(
      isOver(account.status) || ends || isParked,
      "end-final",
      () => `${label} deletes a run that is ${account.status}`,
    );
  }
  if (changes.run) {
    hold(isOver(account.status), "end-final", () => `${label} begins a run while one is ${account.status}`);
    hold(
      run === account.run + 1 && changes.run.run === run,
      "end-final",
      () => `${label} begins run ${run} after ${account.run}`,
    );
  } else {
    hold(run === account.run, "end-final", () => `${label} is of run ${run}, the latest is ${account.run}`);
    if (isOver(account.status)) checkAfterEnd(account, changes, label, coverage);
  }
  checkInbox(account, changes, label, isParked);
  checkAllowed(account, changes, label);
  checkCommands(account, commit, label, coverage);
  checkCarried(account, changes, label);
}

/** Commands that take effect are those that the status allows. @throws Violation */
function checkAllowed({ status, ending, paused }: Account, changes: Changes, label: string): void {
  if (changes.run || changes.commands === undefined || changes.status === "deleted") return;
  const isEnding = ending !== undefined && !isOver(status);
  // One that was failing is cancelled only once it has failed, where events are kept for a retry.
  const staysEnding = isEnding && !changes.ending && !isOver(changes.status ?? status);
  let pauses = paused;
  for (const { type, id } of changes.commands) {
    const refused =
      (type === "retry" && status !== "failed") ||
      (type === "unpause" && !pauses) ||
      (isEnding && (type === "pause" || type === "schedule")) ||
      (staysEnding && type === "event");
    hold(!refused, "commands", () => `${label} has ${type} ${id} take effect on what is ${status}`);
    pauses ||= type === "pause";
  }
}

/**
 * Command ids belong to the instance: what begins the next run, or stands for one that was deleted, has all those that
 * may still be delivered again, and no others. @throws Violation
 */
function checkCarried(account: Account, { at, run, status, commands = [] }: Changes, label: string): void {
  if (run === undefined && status !== "deleted") return;
  const carried = new Map((run?.commands ?? commands).map((command) => [command.id, command.at]));
  for (const [id, { record }] of account.commands) {
    // A delete comes after the end of its run, perhaps by a clock that shows less.
    const end = record.type === "delete" ? record.at : (account.ends.get(record.run) ?? at);
    const isDue = end + COMMAND_RETENTION_MS > at;
    hold(!isDue || carried.has(id), "commands", () => `${label} forgets ${record.type} ${id} of run ${record.run}`);
    // What was forgotten may have come anew.
    const isKept = carried.get(id) === record.at;
    hold(isDue || !isKept, "commands", () => `${label} still remembers ${record.type} ${id} of run ${record.run}`);
  }
}

/**
 * Whoever says that attempts were interrupted is their owner in a new life, or has found the owner gone: its lease ran
 * out, or its lock is free. @throws Violation
 */
export function checkTakeover(
  account: Account,
  commit: Commit,
  latest: Timestamp,
  isDead: (owner: string) => boolean,
): void {
  const { owner } = account;
  const { changes, nonce } = commit;
  if (owner === undefined || changes.run || owner.until <= latest || owner.id === nonce.split(".")[0]) return;
  if (isDead(owner.id)) return;
  for (const [name, { interruptions = 0 }] of Object.entries(changes.steps ?? {})) {
    const before = account.steps.get(name)?.interruptions ?? 0;
    hold(interruptions <= before, "retries", () => {
      return `${account.id}/${name} is said to be interrupted, and ${owner.id} holds its lease until ${owner.until}`;
    });
  }
}

function checkAfterEnd(account: Account, changes: Changes, label: string, coverage: Coverage): void {
  const { status } = account;
  const types = new Set((changes.commands ?? []).map(({ type }) => type));
  const only = (...fields: (keyof Changes)[]) =>
    Object.keys(changes).every((field) => field === "at" || fields.includes(field as keyof Changes));
  if (changes.status === "deleted" && status !== "deleted") {
    if (types.has("delete")) return;
    const due = retentionEndOf(account) ?? Number.POSITIVE_INFINITY;
    meet(coverage, "statuses", "forgotten");
    hold(changes.at >= due, "end-final", () => `${label} forgets at ${changes.at} what is kept until ${due}`);
    return;
  }
  if (status === "failed" && (types.has("retry") || types.has("cancel"))) return;
  const kept = status === "failed" && only("inbox", "commands") && [...types].every((type) => type === "event");
  hold(kept, "end-final", () => `${label} follows the end (${status}) with ${Object.keys(changes).join(", ")}`);
}

function checkInbox(account: Account, changes: Changes, label: string, isParked: boolean): void {
  for (const entry of changes.inbox ?? []) {
    const { id } = entry;
    // Where the code is not there, nobody knows what can take it.
    hold(
      isParked || canBeTaken(account, changes, entry),
      "events",
      () => `${label} accepts event ${id}, which no step can take`,
    );
    hold(!account.inbox.has(id) || changes.run !== undefined, "events", () => `${label} accepts event ${id} again`);
    const known = changes.commands?.some((command) => command.id === id && command.type === "event") === true;
    hold(known, "events", () => `${label} accepts event ${id} and does not remember it`);
  }
}

const MAY_HAVE_FAILED: ReadonlySet<RunStatus> = new Set(["failed", "cancelled", "deleted"]);

/** Whether a step was left for an event: of a run that failed, a retry may leave some. */
function canBeTaken(account: Account, changes: Changes, { event, step }: InboxEntry): boolean {
  const { run, commands, status, ending } = changes;
  const begins = run !== undefined || commands?.some(({ type }) => type === "retry") === true;
  // Another ending than before: it had failed in between.
  if (ending && account.ending) return true;
  // One that is cancelled or deleted in a commit may have failed in it before.
  if (begins || account.status === "failed" || (status !== undefined && MAY_HAVE_FAILED.has(status))) return true;
  return account.workflow.graph.nodes.some((node) => {
    const state = account.steps.get(node.name);
    const isOpen = !isSettledStep(state) && state?.status !== "choosing";
    return isOpen && node.receives.has(event) && (step ?? node.name) === node.name;
  });
}

function checkCommands(account: Account, { changes, run, payloads }: Commit, label: string, coverage: Coverage): void {
  const tombstone = changes.status === "deleted";
  for (const { id, type, run: of, at } of changes.commands ?? []) {
    // A tombstone lists those that may come again.
    const known = account.commands.get(id);
    if (tombstone && of !== undefined && known) continue;
    const forgotten = known !== undefined && changes.at - at > COMMAND_RETENTION_MS;
    hold(known === undefined || forgotten, "commands", () => `${label} has ${type} ${id} take effect again`);
    hold(of === run, "commands", () => `${label} has a command of run ${of}`);
    meet(coverage, "commands", type);
    if (type !== "event") continue;
    const entry = changes.inbox?.find((one) => one.id === id);
    hold(entry !== undefined, "events", () => `${label} remembers event ${id} and does not keep it`);
    const text = payloads?.[`event:${id}`];
    hold((text !== undefined) === (entry.payload === true), "events", () => `${label} keeps no payload of ${id}`);
  }
}
