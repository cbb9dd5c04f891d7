import type { JsonText } from "../../definition/json.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import type {
  CommandRecord,
  Ending,
  InboxEntry,
  Owner,
  Payloads,
  Revision,
  RunInfo,
  RunStatus,
  StepState,
  Timestamp,
} from "../../engine/state.ts";
import type { Commit, Header, StoredRecord } from "../../runtime/storage.ts";
import type { ModelWorkflow } from "../model.ts";
import type { Life } from "./scheduler.ts";

/** An accepted event, and who took it. */
interface Arrived {
  readonly entry: InboxEntry;
  readonly at: Timestamp;
  readonly revision: Revision;
  takenBy: string | undefined;
}

interface KnownCommand {
  readonly record: CommandRecord;
  /** The pick in which it was committed. */
  readonly tick: number;
}

/** One settling of a step, in the order of the journal. */
export interface Settled {
  readonly step: string;
  readonly state: StepState;
}

/** That a run went on under another edition. */
interface Adoption {
  readonly revision: Revision;
  /** The steps that had been reached or settled by then, and were not run anew since: other joins have let them. */
  readonly touched: Set<string>;
  /** What was being undone by then, until a retry: it goes on, whatever else has something to undo under the new code. */
  undoing: string | undefined;
}

/**
 * What the checker knows of one instance: kept from the commits that succeeded, by nothing of the engine's.
 * It belongs to the checker and changes in place.
 */
export interface Account {
  readonly id: string;
  /** How often all of it was removed: runs are counted from 1 again then. */
  readonly removals: number;
  /** All that there is of its workflow's code, the newest last. */
  readonly editions: readonly AnyWorkflow[];
  /** The edition under which the run goes on. */
  workflow: AnyWorkflow;
  model: ModelWorkflow;
  run: number;
  revision: Revision;
  firstRevision: Revision;
  /** "deleted" before the first run, too. */
  status: RunStatus;
  info: RunInfo | undefined;
  /** Of the graph under which the run goes on. */
  fingerprint: string | undefined;
  readonly steps: Map<string, StepState>;
  readonly inbox: Map<string, Arrived>;
  /** The steps that began to wait, in that order; those that have waited are among them. */
  readonly waits: Set<string>;
  /** Of all runs: an id belongs to the instance. */
  readonly commands: Map<string, KnownCommand>;
  paused: boolean;
  ending: Ending | undefined;
  owner: Owner | undefined;
  header: Header | undefined;
  /** The run was taken up again, so that its journal is no single life of its steps. */
  retried: boolean;
  /** The run went on under another edition than it had; undefined when it never did. */
  adoption: Adoption | undefined;
  /** The row says that somebody who has the code is to look at it, since one who has not changed it then. */
  lookAt: Timestamp | undefined;
  /** The records of the run that are not removed. */
  readonly records: Map<Revision, StoredRecord>;
  readonly payloads: Map<Revision, Payloads>;
  /** The settlings of the run. */
  readonly settled: Settled[];
  /** The status after each record of the run. */
  readonly statusAt: Map<Revision, RunStatus>;
  /** The pick in which it was last changed. */
  changedAt: number;
  /** By whom. */
  changedBy: Life | undefined;
  /** The revision in which each step was settled. */
  readonly settledAt: Map<string, Revision>;
  /** When each run ended, the latest end of those that were taken up again. */
  readonly ends: Map<number, Timestamp>;
  /** When the run began to end. */
  endingSince: Revision | undefined;
}

export function emptyAccount(
  id: string,
  removals: number,
  editions: readonly AnyWorkflow[],
  model: ModelWorkflow,
): Account {
  return {
    id,
    removals,
    editions,
    workflow: editions[0] as AnyWorkflow,
    model,
    run: 0,
    revision: 0,
    firstRevision: 0,
    status: "deleted",
    info: undefined,
    fingerprint: undefined,
    steps: new Map(),
    inbox: new Map(),
    waits: new Set(),
    commands: new Map(),
    paused: false,
    ending: undefined,
    owner: undefined,
    header: undefined,
    retried: false,
    adoption: undefined,
    lookAt: undefined,
    records: new Map(),
    payloads: new Map(),
    settled: [],
    statusAt: new Map(),
    changedAt: -1,
    changedBy: undefined,
    settledAt: new Map(),
    ends: new Map(),
    endingSince: undefined,
  };
}

/** When what has ended is to be forgotten; undefined for what is kept. */
export function retentionEndOf({ workflow, ends, run, status }: Account): Timestamp | undefined {
  const { retentionMs } = workflow.graph;
  return retentionMs === undefined || !isOver(status) || status === "deleted"
    ? undefined
    : (ends.get(run) ?? Number.NaN) + retentionMs;
}

export function isOver(status: RunStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "deleted";
}

export function isSettledStep(step: StepState | undefined): boolean {
  const status = step?.status;
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

export function isOpenStep(step: StepState | undefined): boolean {
  return step?.status === "active" || step?.status === "waiting" || step?.status === "choosing";
}

/** Steps that only a driver can bring on, and that wait for nothing. */
export function isRunnableStep(step: StepState): boolean {
  return (step.status === "active" || step.status === "choosing") && step.wakeAt === undefined;
}

/** Enters a commit that succeeded. */
export function enter(
  account: Account,
  { run, expected, nonce, changes, payloads, header }: Commit,
  tick: number,
): void {
  const revision = expected + 1;
  if (changes.run || changes.status === "deleted") beginAnew(account);
  if (changes.run) {
    account.firstRevision = revision;
    account.records.clear();
    account.payloads.clear();
  }
  account.run = run;
  account.revision = revision;
  if (changes.run) account.info = changes.run;
  if (changes.fingerprint !== undefined) {
    const touched = [...account.steps].filter(([, step]) => step.status !== "idle").map(([name]) => name);
    const [undoing] = [...account.steps].find(([, { compensation }]) => compensation?.status === "active") ?? [];
    account.adoption = { revision, touched: new Set(touched), undoing };
  }
  account.fingerprint = changes.run?.fingerprint ?? changes.fingerprint ?? account.fingerprint;
  account.records.set(revision, { revision, run, nonce, changes });
  if (payloads) account.payloads.set(revision, payloads);
  if (changes.paused !== undefined) account.paused = changes.paused;
  if (changes.owner !== undefined) account.owner = changes.owner ?? undefined;
  if (changes.ending !== undefined) {
    account.ending = changes.ending ?? undefined;
    account.endingSince = account.ending ? revision : undefined;
  }
  for (const entry of changes.inbox ?? []) {
    account.inbox.set(entry.id, { entry, at: changes.at, revision, takenBy: undefined });
  }
  for (const record of changes.commands ?? []) {
    // An id that was forgotten may come anew.
    const known = account.commands.get(record.id)?.record;
    if (known === undefined || record.at > known.at) account.commands.set(record.id, { record, tick });
    if (record.type !== "retry") continue;
    account.retried = true;
    if (account.adoption === undefined) continue;
    for (const name in changes.steps) account.adoption.touched.delete(name);
    account.adoption.undoing = undefined;
  }
  for (const [name, next] of Object.entries(changes.steps ?? {})) enterStep(account, name, next, revision);
  if (header) account.header = header;
  if (changes.status !== undefined) {
    const ends = isOver(changes.status) && !(changes.status === "deleted" && isOver(account.status));
    if (ends) account.ends.set(run, changes.at);
    account.status = changes.status;
  }
  account.statusAt.set(revision, account.status);
  account.changedAt = tick;
}

/** Before a tombstone the records of the run stand until they are removed. */
function beginAnew(account: Account): void {
  account.info = undefined;
  account.steps.clear();
  account.inbox.clear();
  account.waits.clear();
  account.paused = false;
  account.ending = undefined;
  account.endingSince = undefined;
  account.owner = undefined;
  account.header = undefined;
  account.retried = false;
  account.adoption = undefined;
  account.lookAt = undefined;
  account.settled.length = 0;
  account.settledAt.clear();
}

function enterStep(account: Account, name: string, next: StepState, revision: Revision): void {
  const before = account.steps.get(name);
  account.steps.set(name, next);
  if (next.status === "waiting" && before?.status !== "waiting") {
    account.waits.delete(name);
    account.waits.add(name);
  }
  const arrived = next.taken === undefined ? undefined : account.inbox.get(next.taken);
  if (arrived) arrived.takenBy = name;
  if (!isSettledStep(next) || (isSettledStep(before) && before?.status === next.status)) return;
  account.settled.push({ step: name, state: next });
  account.settledAt.set(name, revision);
}

/** The stored text of a step's result: of its own outcome, or of the event that it took. */
export function resultTextOf(account: Account, name: string): JsonText | undefined {
  const step = account.steps.get(name);
  if (step?.result === undefined) return undefined;
  const payloads = account.payloads.get(step.result);
  return payloads?.[step.taken === undefined ? `result:${name}` : `event:${step.taken}`];
}
