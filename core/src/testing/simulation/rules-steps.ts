import type { Retry, StepNode } from "../../definition/graph.ts";
import { MAX_INTERRUPTIONS, SERIAL_INTERRUPTIONS } from "../../engine/limits.ts";
import type { CompensationState, InboxEntry, StepState, StoredError } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOpenStep, isSettledStep } from "./account.ts";
import { type Coverage, meet } from "./coverage.ts";
import { checkGrace } from "./rules-ending.ts";
import { hold } from "./violation.ts";
import type { Witness } from "./witness.ts";

/** One step's change in one commit. */
interface StepChange {
  readonly account: Account;
  readonly commit: Commit;
  readonly node: StepNode;
  readonly before: StepState;
  readonly after: StepState;
  readonly witness: Witness;
  readonly coverage: Coverage;
}

const IDLE: StepState = { status: "idle" };
const PHASES = { idle: 0, active: 1, waiting: 2, choosing: 3, completed: 4, skipped: 4, cancelled: 4, failed: 4 };

/** Checks each step that a commit changes, against how it stood before. @throws Violation */
export function checkSteps(account: Account, commit: Commit, witness: Witness, coverage: Coverage): void {
  for (const [name, after] of Object.entries(commit.changes.steps ?? {})) {
    const node = account.workflow.graph.byName.get(name);
    const before = (commit.changes.run ? undefined : account.steps.get(name)) ?? IDLE;
    hold(node !== undefined, "step-order", () => `${account.id} has no step ${name}`);
    checkStep({ account, commit, node, before, after, witness, coverage });
  }
  checkOrderOfTimers(account, commit);
  checkGuilty(account, commit);
}

/** From the second interruption of a step on, one step at a time runs, so that only the guilty one is counted. */
function checkGuilty({ id, steps }: Account, { changes }: Commit): void {
  if (changes.run || ![...steps.values()].some(callsForSeries)) return;
  const counted = Object.entries(changes.steps ?? {}).filter(
    ([name, { interruptions = 0 }]) => interruptions > (steps.get(name)?.interruptions ?? 0),
  );
  hold(counted.length < 2, "retries", () => `${counted.map(([name]) => name).join(" and ")} of ${id} count as guilty`);
}

function callsForSeries({ status, interruptions = 0 }: StepState): boolean {
  return status === "active" && interruptions >= SERIAL_INTERRUPTIONS;
}

/** What came due fires in the order in which it came due. */
function checkOrderOfTimers(account: Account, { changes }: Commit): void {
  if (changes.run || changes.commands?.some(({ type }) => type === "schedule" || type === "retry")) return;
  let last = 0;
  for (const [name, after] of Object.entries(changes.steps ?? {})) {
    const before = account.steps.get(name);
    const fired = before?.status === "waiting" && after.status === "completed" && after.taken === undefined;
    // What was to choose when the run began to end stands where it was ended.
    const choseNot =
      account.workflow.graph.byName.get(name)?.routes.get(after.event ?? "")?.choice && !after.targets?.length;
    if (!fired || before.wakeAt === undefined || after.outrun || choseNot) continue;
    const { wakeAt } = before;
    hold(wakeAt >= last, "timer-early", () => `${account.id}/${name} of ${wakeAt} fires after one of ${last}`);
    last = wakeAt;
  }
}

function checkStep(change: StepChange): void {
  const { before, after, commit, coverage } = change;
  meet(coverage, "steps", after.status);
  const back = (what: string) => () => `${what} of ${labelOf(change)} goes back: ${show(before)} → ${show(after)}`;
  hold((after.attempt ?? 1) >= (before.attempt ?? 1), "step-order", back("the token"));
  hold((after.epoch ?? 0) >= (before.epoch ?? 0), "step-order", back("the epoch"));
  if (commit.changes.commands?.some(({ type }) => type === "retry")) return;
  hold((after.failures ?? 0) >= (before.failures ?? 0), "step-order", back("the count of failures"));
  hold((after.interruptions ?? 0) >= (before.interruptions ?? 0), "step-order", back("the count of interruptions"));
  hold(PHASES[after.status] >= PHASES[before.status], "step-order", back("the phase"));
  if ((after.interruptions ?? 0) > (before.interruptions ?? 0)) meet(coverage, "steps", "interrupted");
  if (isSettledStep(before)) {
    checkSettled(change);
    return;
  }
  if (before.status === "idle") checkReached(change);
  else if (before.status === "active") checkAttempt(change);
  else if (before.status === "waiting") checkWait(change);
  if (after.status === "completed") checkLeadsNowhere(change);
  if (after.taken !== undefined && before.taken === undefined) checkTaken(change);
  if (after.status === "failed") checkFailed(change);
  if (after.status === "cancelled") checkOutrun(change);
  if (after.compensation) checkCompensation(change);
}

/** Paused before and after, and not unpaused in between. */
function staysPaused({ account, commit: { changes } }: StepChange): boolean {
  const unpaused = changes.commands?.some(({ type }) => type === "unpause") === true;
  return account.paused && changes.paused === undefined && !unpaused;
}

function labelOf({ account, node, commit }: StepChange): string {
  return `${account.id}#${commit.run}/${node.name} in revision ${commit.expected + 1}`;
}

function show(step: StepState): string {
  const { error, ...rest } = step;
  return JSON.stringify({ ...rest, ...(error ? { error: error.code ?? error.message } : {}) });
}

function checkSettled(change: StepChange): void {
  const { before, after } = change;
  const { compensation: _one, ...settled } = before;
  const { compensation: _other, ...now } = after;
  const same = sameJson(settled, now);
  hold(same, "recorded-once", () => `${labelOf(change)} was settled: ${show(before)} → ${show(after)}`);
  checkCompensation(change);
}

/** What completes while its run ends takes no edge: not before a retry goes on with the run. */
function checkLeadsNowhere(change: StepChange): void {
  const { account, commit, after } = change;
  if (account.ending === undefined || commit.changes.run) return;
  const leads = after.targets?.length !== 0;
  hold(!leads, "end-final", () => `${labelOf(change)} goes on to ${after.targets} although the run is ending`);
}

function checkReached(change: StepChange): void {
  const { account, node, before, after, commit } = change;
  const { ending } = account;
  const starts = isOpenStep(after) || after.status === "completed";
  const endedBefore = ending !== undefined && !commit.changes.run;
  hold(!(starts && endedBefore), "end-final", () => `${labelOf(change)} starts although the run is ending`);
  const unknown = after.status === "cancelled" && after.unknown === true && before.unknown === undefined;
  hold(!unknown, "compensation", () => `${labelOf(change)} was never begun, and may have had its effect`);
  if (node.kind !== "run") return;
  const ran = after.status === "completed" || after.status === "choosing" || after.status === "waiting";
  hold(!ran, "recorded-once", () => `${labelOf(change)} is ${after.status} and was never run`);
  const paused = staysPaused(change) && !commit.changes.run;
  const begins = after.status === "active" && after.wakeAt === undefined;
  hold(!(paused && begins), "step-order", () => `${labelOf(change)} is to run although the run is paused`);
}

function checkAttempt(change: StepChange): void {
  const { account, node, commit, before, after, witness, coverage } = change;
  const { at } = commit.changes;
  const token = { step: node.name, attempt: before.attempt ?? 1, compensation: false };
  const told = witness.told(account, commit.run, token);
  if (after.status === "cancelled") checkCancelled(change);
  if (after.taken !== undefined && before.taken === undefined) {
    hold(
      told?.type === "pending",
      "recorded-once",
      () => `${labelOf(change)} takes an event, its attempt told ${told?.type}`,
    );
  } else if (after.status === "completed" || after.status === "choosing") {
    const text = commit.payloads?.[`result:${node.name}`];
    // An event that was scheduled for at once ends it in the commit in which it begins to wait.
    const schedules = commit.changes.commands?.some(({ type }) => type === "schedule") === true;
    const fits =
      told?.type === "pending"
        ? schedules && text === undefined
        : told?.type === "outcome" && told.event === after.event && told.result === text;
    hold(fits, "recorded-once", () => {
      return `${labelOf(change)} has the outcome ${after.event} ${text}, its attempt told ${JSON.stringify(told)}`;
    });
    hold(
      (after.attempt ?? 1) === token.attempt,
      "recorded-once",
      () => `${labelOf(change)} has another token at its end`,
    );
  } else if (after.status === "waiting") {
    meet(coverage, "steps", "pending");
    hold(told?.type === "pending", "recorded-once", () => `${labelOf(change)} waits, its attempt told ${told?.type}`);
  } else if (after.status === "active") {
    checkAgain(change);
  }
  const wakes = before.wakeAt !== undefined && after.status === "active" && after.wakeAt === undefined;
  if (!wakes) return;
  hold(at >= (before.wakeAt ?? 0), "timer-early", () => `${labelOf(change)} wakes at ${at}, not at ${before.wakeAt}`);
  const paused = staysPaused(change);
  hold(!paused, "timer-early", () => `${labelOf(change)} wakes although the run is paused`);
}

/** Where the run goes on, only a join that starts without a step takes it from the run: a retry does not bring it back. */
function checkOutrun(change: StepChange): void {
  const { account, commit, before, after } = change;
  hold(before.status !== "choosing", "joins", () => `${labelOf(change)} has run, and is cancelled`);
  const ending = (commit.changes.run ? undefined : account.ending) ?? commit.changes.ending;
  hold(ending != null || after.outrun === true, "joins", () => `${labelOf(change)} is cancelled, and the run goes on`);
}

/** What may have begun and is taken from its run may have had its effect. */
function checkCancelled(change: StepChange): void {
  const { account, node, commit, before, after, witness } = change;
  const token = { step: node.name, attempt: before.attempt ?? 1, compensation: false };
  const life = witness.runsOn(account, commit.run, token);
  if (life) checkGrace(account, commit, life, node.name);
  if (!witness.begun(account, commit.run, token)) return;
  // What is thrown while the run ends may be thrown because it does: nobody knows what that means.
  const failsLate = account.ending !== undefined && (after.failures ?? 0) > (before.failures ?? 0);
  if (!failsLate && witness.told(account, commit.run, token)?.type === "error") return;
  hold(after.unknown === true, "compensation", () => `${labelOf(change)} is said to have had no effect, and had begun`);
}

/** An attempt is over, and there will be another one. */
function checkAgain(change: StepChange): void {
  const { account, node, commit, before, after, witness, coverage } = change;
  const token = { step: node.name, attempt: before.attempt ?? 1, compensation: false };
  const failed = (after.failures ?? 0) > (before.failures ?? 0);
  if (!failed && (after.attempt ?? 1) > token.attempt && witness.begun(account, commit.run, token)) {
    hold(after.unknown === true, "compensation", () => `${labelOf(change)} had begun, and may have had its effect`);
  }
  if (after.checkpoints && !sameJson(after.checkpoints, before.checkpoints)) meet(coverage, "steps", "checkpoint");
  const failures = after.failures ?? 0;
  if (failures > (before.failures ?? 0)) {
    meet(coverage, "steps", "retried");
    const mayAgain = failures < node.retry.maxAttempts;
    hold(mayAgain, "retries", () => `${labelOf(change)} is tried again after ${failures} failures`);
    const isNext = (after.attempt ?? 1) > token.attempt;
    hold(isNext, "retries", () => `${labelOf(change)} keeps the token of an attempt that failed`);
    checkBackoff(change, node.retry, failures, after.wakeAt);
  } else if ((after.interruptions ?? 0) > (before.interruptions ?? 0)) {
    hold(
      (after.attempt ?? 1) > (before.attempt ?? 1),
      "retries",
      () => `${labelOf(change)} keeps the token of an attempt that never came back`,
    );
    hold(
      (after.interruptions ?? 0) < MAX_INTERRUPTIONS,
      "retries",
      () => `${labelOf(change)} goes on after too many interruptions`,
    );
  } else if (after.wakeAt !== undefined && before.wakeAt === undefined) {
    meet(coverage, "steps", "handed back");
    hold(after.wakeAt === commit.changes.at, "step-order", () => `${labelOf(change)} is handed back for later`);
  }
}

function checkBackoff(change: StepChange, retry: Retry, failures: number, wakeAt: number | undefined): void {
  const factor = { constant: 1, linear: failures, exponential: 2 ** (failures - 1) }[retry.backoff];
  const most = Math.min(retry.initialMs * factor, retry.maxMs);
  const waits = (wakeAt ?? Number.NaN) - change.commit.changes.at;
  const fits = waits >= Math.floor(most / 2) && waits <= Math.ceil(most);
  hold(
    fits,
    "retries",
    () => `${labelOf(change)} waits ${waits} ms after failure ${failures}; the policy says ${most}`,
  );
}

function checkWait(change: StepChange): void {
  const { account, commit, before, after, coverage } = change;
  const { at, commands = [] } = commit.changes;
  if (after.status !== "completed" && after.status !== "choosing") return;
  if (after.taken !== undefined) return;
  meet(coverage, "steps", "timer fired");
  // A timer that was set in this very commit may fire in it.
  const set = commands.flatMap(({ type, reply }) =>
    type === "schedule" ? [(reply as { wakeAt: number }).wakeAt] : [],
  );
  const due = [before.wakeAt ?? Number.POSITIVE_INFINITY, ...set];
  hold(
    due.some((one) => at >= one),
    "timer-early",
    () => `${labelOf(change)} fires at ${at}, not at ${due.join(" or ")}`,
  );
  hold(
    set.length > 0 || after.event === before.wakeEvent,
    "timer-early",
    () => `${labelOf(change)} fires ${after.event}`,
  );
  hold(account.ending === undefined, "end-final", () => `${labelOf(change)} fires although the run is ending`);
  const paused = staysPaused(change) && commit.changes.ending === undefined;
  hold(!paused, "timer-early", () => `${labelOf(change)} fires although the run is paused`);
}

function checkTaken(change: StepChange): void {
  const { account, node, commit, before, after, coverage } = change;
  const id = after.taken as string;
  const fresh = commit.changes.inbox?.find((entry) => entry.id === id);
  const arrived = account.inbox.get(id);
  meet(coverage, "steps", "event taken");
  if (!fresh) meet(coverage, "steps", "event early");
  const entry = fresh ?? arrived?.entry;
  hold(entry !== undefined, "events", () => `${labelOf(change)} takes ${id}, which is not in the inbox`);
  hold(arrived?.takenBy === undefined, "events", () => `${labelOf(change)} takes ${id}, which ${arrived?.takenBy} has`);
  hold(entry.event === after.event, "events", () => `${labelOf(change)} takes ${entry.event} as ${after.event}`);
  hold(
    node.receives.has(entry.event),
    "events",
    () => `${labelOf(change)} takes ${entry.event}, which it does not wait for`,
  );
  hold((entry.step ?? node.name) === node.name, "events", () => `${labelOf(change)} takes an event for ${entry.step}`);
  const deadline = before.status === "waiting" ? before.wakeAt : undefined;
  const at = arrived?.at ?? commit.changes.at;
  const reset = commit.changes.commands?.some(({ type }) => type === "schedule") === true;
  hold(
    reset || deadline === undefined || at < deadline,
    "events",
    () => `${labelOf(change)} takes ${id} of ${at} after ${deadline}`,
  );
  const paused = staysPaused(change);
  hold(!paused, "events", () => `${labelOf(change)} takes ${id} although the run is paused`);
  const ends = account.ending !== undefined && !commit.changes.run;
  hold(!ends, "events", () => `${labelOf(change)} takes ${id} although the run is ending`);
  const others = Object.entries(commit.changes.steps ?? {}).filter(([, step]) => step.taken === id);
  hold(others.length === 1, "events", () => `${id} is taken by ${others.map(([name]) => name).join(" and ")}`);
  // A schedule in this very commit has given others another deadline.
  if (!fresh || reset || before.status !== "waiting" || commit.changes.run) return;
  const first = longestWaiting(account, commit, entry);
  hold(first === node.name, "events", () => `${labelOf(change)} takes ${id}, for which ${first} has waited longer`);
}

/** The step that has waited longest for an event, of those that this commit finds waiting. */
function longestWaiting({ steps, waits, workflow }: Account, { changes }: Commit, entry: InboxEntry) {
  return [...waits].find((name) => {
    const { status, wakeAt = Number.POSITIVE_INFINITY } = steps.get(name) as StepState;
    const changed = changes.steps?.[name];
    // One that another event or its timer ended in this very commit may have been over by then.
    const isOver = changed !== undefined && changed.taken !== entry.id;
    const takes = workflow.graph.byName.get(name)?.receives.has(entry.event) === true;
    return status === "waiting" && takes && !isOver && (entry.step ?? name) === name && changes.at < wakeAt;
  });
}

/** Errors after which no further attempt is made, whatever the policy says. */
function isFinal({ name, code }: StoredError): boolean {
  return name === "NonRetryableError" || (name === "HephaestusError" && code !== "STEP_TIMEOUT");
}

function checkFailed(change: StepChange): void {
  const { node, after, coverage } = change;
  const { error, failures = 0, interruptions = 0 } = after;
  if (node.onFailure !== undefined) meet(coverage, "steps", "failure routed");
  hold(error !== undefined, "retries", () => `${labelOf(change)} failed without an error`);
  const exhausted = failures >= node.retry.maxAttempts || interruptions >= MAX_INTERRUPTIONS;
  hold(
    exhausted || isFinal(error),
    "retries",
    () => `${labelOf(change)} failed for good after ${failures} failures: ${show(after)}`,
  );
}

function checkCompensation(change: StepChange): void {
  const { account, node, commit, before, after, witness, coverage } = change;
  const [was, is] = [before.compensation, after.compensation];
  if (sameJson(was, is)) return;
  const cancels = commit.changes.commands?.some(({ type }) => type === "cancel") === true;
  hold(is !== undefined, "compensation", () => `${labelOf(change)} forgets its compensation`);
  const ending = commit.changes.ending ?? account.ending;
  hold(ending !== undefined, "compensation", () => `${labelOf(change)} is compensated although the run goes on`);
  hold(node.compensates, "compensation", () => `${labelOf(change)} has nothing to undo`);
  const again = was !== undefined && was.status !== "active";
  hold(!again || (cancels && was.status === "failed"), "compensation", () => `${labelOf(change)} was undone before`);
  if (is.status === "completed") {
    meet(coverage, "steps", "compensated");
    const token = { step: node.name, attempt: was?.attempt ?? 1, compensation: true };
    const told = witness.told(account, commit.run, token);
    hold(
      told?.type === "compensated",
      "compensation",
      () => `${labelOf(change)} is undone, its code told ${told?.type}`,
    );
  }
  hold(
    !again || (is.attempt ?? 1) > (was.attempt ?? 1),
    "compensation",
    () => `${labelOf(change)} is undone once more under the token of before`,
  );
  const strikes = (is.interruptions ?? 0) > (was?.interruptions ?? 0) && was?.wakeAt !== undefined;
  hold(!strikes, "retries", () => `${labelOf(change)} was interrupted while it waited to be undone`);
  if (is.status === "failed") meet(coverage, "steps", "compensation failed");
  if (is.status === "failed") checkCompensationFailed(change, is);
  if ((is.failures ?? 0) > (was?.failures ?? 0) && is.status === "active") {
    const repeats = (is.failures ?? 0) < node.retry.maxAttempts;
    hold(repeats, "retries", () => `${labelOf(change)} is undone again after ${is.failures} failures`);
    checkBackoff(change, node.retry, is.failures ?? 0, is.wakeAt);
  }
  const early = was?.wakeAt !== undefined && is.wakeAt === undefined && is.status === "active";
  hold(
    !early || again || commit.changes.at >= (was.wakeAt ?? 0),
    "timer-early",
    () => `${labelOf(change)} is undone too early`,
  );
}

function checkCompensationFailed(
  change: StepChange,
  { failures = 0, interruptions = 0, error }: CompensationState,
): void {
  const exhausted = failures >= change.node.retry.maxAttempts || interruptions >= MAX_INTERRUPTIONS;
  const final = error !== undefined && isFinal(error);
  hold(exhausted || final, "compensation", () => `${labelOf(change)} is given up after ${failures} failures`);
}

function sameJson(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
