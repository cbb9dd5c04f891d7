import type { Changes, Timestamp } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOpenStep, isOver, retentionEndOf } from "./account.ts";
import { codeAt, isParkedAt } from "./editions.ts";
import { wakeOf } from "./rules-joins.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";
import type { Begun } from "./witness.ts";
import type { World } from "./world.ts";

/** How long a worker that closes lets go on what runs. */
export const CLOSE_GRACE_MS = 1_000;

/** By when a commit that was refused for want of room is tried again once there is some, and answered. */
export const ROOM_MS = 8_000;

/** How much of a lease, or of that grace, a worker's calls may take before it may fail for that alone. */
const LEASE_SHARE = 20;

/**
 * Called before time goes on, when nothing is left to do at this one: once faults have stopped, nothing that could be
 * done by now is left undone by a worker that lives. Only where the calls of workers take no time. @throws Violation
 */
export function checkPunctual(world: World): void {
  const { plan, journal } = world;
  if (plan.settings.slowCalls > 0 || !isQuiet(world)) return;
  for (const account of journal.accounts.values()) {
    // What was left by others is found when its lease is over, or at the next sweep.
    const { changedAt, changedBy, owner, status } = account;
    if (changedAt <= world.calmSince || !isWell(world, changedBy) || status === "deleted") continue;
    if (account.workflow !== codeAt(account, changedBy)) continue;
    if (owner === undefined || world.runners.get(owner.id) === changedBy) checkOne(world, account);
  }
  for (const begun of world.witness.running) checkAborted(world, begun);
}

/** What a worker has taken from an attempt that it still runs, the attempt is told by its signal. */
function checkAborted(world: World, { life, account, run, token, context }: Begun): void {
  if (!isWell(world, life) || token.compensation || account.changedBy !== life) return;
  if (account.changedAt <= world.calmSince || world.journal.account(account.id) !== account) return;
  const { status, attempt = 1 } = account.steps.get(token.step) ?? {};
  const isCurrent = account.run === run && status === "active" && attempt === token.attempt && !account.ending;
  const isTold = isCurrent || context.signal.aborted;
  hold(isTold, "end-final", () => `${account.id}#${run}/${token.step}@${token.attempt} is over, and is not aborted`);
}

/** No fault that was planned before they stopped has its effect still. */
function isQuiet({ calm, scheduler, stalledUntil, offsets }: World): boolean {
  return calm && scheduler.now > stalledUntil && offsets.every((offset) => offset === 0);
}

/** What a fault struck late may still be frozen, or have just come to. */
function isWell({ plan, scheduler }: World, life: Life | undefined): life is Life {
  if (life === undefined || !life.alive || life.closing) return false;
  return life.frozenUntil + plan.settings.leaseMs < scheduler.now;
}

function checkOne(world: World, account: Account): void {
  const { now } = world.scheduler;
  const what = () => `${account.id}#${account.run} is ${account.status} at revision ${account.revision}`;
  const due = nextTimer(account);
  // A timer that was set by a clock that was put right since comes with the next sweep, or when the row says that it is
  // to be looked at.
  const looked = account.owner === undefined ? Math.max(0, (account.header?.wakeAt ?? 0) - due) : 0;
  const late = world.movedClocks ? world.plan.settings.sweepMs + looked : 0;
  hold(due + late > now, "progress", () => `${what()}, was due at ${due}, and time goes on at ${now}`);
  if (wakeOf(account) !== 0) return;
  // Where places are few, one of another instance may have it.
  const isRoomy = world.plan.settings.concurrency > 100;
  hold(!isRoomy || runsSomething(world, account), "progress", () => `${what()}, and nobody does anything at ${now}`);
}

/** Who closes in good order while nothing goes wrong hands back what it could not finish. @throws Violation */
export function checkHandedBack(world: World, life: Life): void {
  const { journal, runners, fullUntil, stalledUntil, scheduler, plan } = world;
  const { slowCalls, slowCallMs } = plan.settings;
  // What is not answered in its grace it must leave.
  if (Math.max(fullUntil, stalledUntil, life.frozenUntil) + ROOM_MS > scheduler.now) return;
  if (slowCalls > 0 && slowCallMs * LEASE_SHARE > CLOSE_GRACE_MS) return;
  for (const account of journal.accounts.values()) {
    const { id, owner, ending, status, steps } = account;
    // What others have adopted it has nothing more to say of.
    if (owner === undefined || runners.get(owner.id) !== life || isParkedAt(account, life)) continue;
    if (ending || isOver(status)) continue;
    // A choice that another runner made ready meanwhile cannot be given back: it waits for the lease to run out.
    if ([...steps.values()].some((step) => step.status === "choosing")) continue;
    hold(false, "progress", () => `${id} is ${status} and kept by a worker that has closed, at ${scheduler.now}`);
  }
}

/** What comes due first, also while something runs. */
function nextTimer(account: Account): Timestamp {
  const { steps, ending, paused, status } = account;
  let next = Number.POSITIVE_INFINITY;
  if (isOver(status)) return retentionEndOf(account) ?? next;
  if (paused) return next;
  for (const step of steps.values()) {
    if (isOpenStep(step)) next = Math.min(next, step.wakeAt ?? next, ending?.until ?? next);
    if (ending && step.compensation?.status === "active") next = Math.min(next, step.compensation.wakeAt ?? next);
  }
  return next;
}

function runsSomething({ witness }: World, account: Account): boolean {
  const { run, steps } = account;
  for (const [step, { status, attempt = 1, compensation }] of steps) {
    if (status === "active" && witness.runsOn(account, run, { step, attempt, compensation: false })) return true;
    if (compensation?.status !== "active") continue;
    const token = { step, attempt: compensation.attempt ?? 1, compensation: true };
    if (witness.runsOn(account, run, token)) return true;
  }
  return false;
}

/** Keeps who owns what; nothing is taken from a worker that lives, once faults have stopped. @throws Violation */
export function checkOwner(world: World, life: Life, { id, changes }: Commit): void {
  const { calmSince, plan, scheduler, runners, journal } = world;
  const account = journal.account(id);
  const owner = account.owner && runners.get(account.owner.id);
  if (changes.owner) runners.set(changes.owner.id, life);
  if (!isQuiet(world) || account.changedAt <= calmSince || changes.run || changes.fingerprint) return;
  const { slowCalls, slowCallMs, leaseMs } = plan.settings;
  if (slowCalls > 0 && slowCallMs * LEASE_SHARE > leaseMs) return;
  const lives = isWell(world, owner) && account.changedBy === owner && !isOfOtherCode(account);
  hold(!(lives && interrupts(account, changes)), "progress", () => {
    return `${id}#${account.run} is interrupted at ${scheduler.now}, and its owner lives`;
  });
}

/** The lease was taken under the edition that the run had before it was adopted: what was begun then is not gone on with. */
function isOfOtherCode({ adoption, records }: Account): boolean {
  const leased = [...records.values()].findLast(({ changes }) => changes.owner !== undefined);
  return adoption !== undefined && (leased?.revision ?? 0) < adoption.revision;
}

function interrupts({ steps }: Account, changes: Changes): boolean {
  return Object.entries(changes.steps ?? {}).some(([name, { interruptions = 0, compensation }]) => {
    const before = steps.get(name);
    const undone = before?.compensation?.interruptions ?? 0;
    return interruptions > (before?.interruptions ?? 0) || (compensation?.interruptions ?? 0) > undone;
  });
}
