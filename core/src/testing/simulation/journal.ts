import type { AnyWorkflow } from "../../definition/workflow.ts";
import { applyRecord, emptyRun, foldRecords, type RunState } from "../../engine/run-state.ts";
import type { Timestamp } from "../../engine/state.ts";
import type { Commit, Storage, StoredRecord } from "../../runtime/storage.ts";
import type { ModelWorkflow } from "../model.ts";
import { type Account, emptyAccount, enter } from "./account.ts";
import { type Coverage, meet } from "./coverage.ts";
import { editionOf } from "./editions.ts";
import { toModel } from "./flow.ts";
import { checkChoices } from "./rules-choices.ts";
import { callsForCode, checkEdition } from "./rules-editions.ts";
import { checkEnding } from "./rules-ending.ts";
import { checkHeader } from "./rules-header.ts";
import { checkDueFirst, checkInboxOrder } from "./rules-inbox.ts";
import { checkJoins, checkOrderOfUndoing, checkStatus, compareWithModel, meetJoins } from "./rules-joins.ts";
import { checkRecord, checkTakeover } from "./rules-record.ts";
import { checkCancelAgain, checkRetry } from "./rules-retry.ts";
import { checkSteps } from "./rules-steps.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";
import type { Witness } from "./witness.ts";

/** The checker's own book of all instances: whatever succeeds is checked and entered at once. */
export interface Journal {
  readonly accounts: ReadonlyMap<string, Account>;
  account(id: string): Account;
  /** A commit has succeeded. @throws Violation */
  committed(commit: Commit, life: Life, latest: Timestamp, tick: number): void;
  /** Records were removed for good. @throws Violation */
  removed(id: string, through: number, tick: number): void;
  /** Compares what is stored with what was committed. @throws Violation */
  audit(storage: Storage): Promise<void>;
}

export function makeJournal(
  instances: readonly { readonly id: string; readonly editions: readonly AnyWorkflow[] }[],
  witness: Witness,
  coverage: Coverage,
  isDead: (owner: string) => boolean,
  pureChoices: boolean,
): Journal {
  const all = new Set(instances.flatMap(({ editions }) => editions));
  const models = new Map([...all].map((workflow) => [workflow, toModel(workflow)]));
  const accounts = new Map<string, Account>();
  const open = (id: string, removals: number, editions: readonly AnyWorkflow[]) =>
    accounts.set(id, emptyAccount(id, removals, editions, models.get(editions[0] as AnyWorkflow) as ModelWorkflow));
  for (const { id, editions } of instances) open(id, 0, editions);

  function account(id: string): Account {
    const found = accounts.get(id);
    hold(found !== undefined, "stale-commit", () => `nobody started ${id}`);
    return found;
  }

  async function auditOne(own: Account, storage: Storage): Promise<void> {
    const records = await storage.load(own.id);
    if (own.revision === 0) {
      hold(records === undefined, "commit-lost", () => `${own.id} was never committed, and is there`);
      return;
    }
    hold(records !== undefined, "commit-lost", () => `${own.id} is at revision ${own.revision}, and is not there`);
    const written = [...own.records.values()];
    const wrong = firstDifference(records, written);
    hold(wrong < 0, "commit-lost", () => {
      const [found, committed] = [JSON.stringify(records[wrong]), JSON.stringify(written[wrong])];
      return `the journal of ${own.id} has ${found} where ${committed} was committed`;
    });
    const revisions = [...own.payloads.keys()];
    const payloads = await storage.payloads(own.id, revisions);
    revisions.forEach((revision, index) => {
      const [found, written] = [JSON.stringify(payloads[index]), JSON.stringify(own.payloads.get(revision))];
      hold(
        found === written,
        "commit-lost",
        () => `${own.id} has the payloads ${found} where ${written} were committed`,
      );
    });
    const { graph } = own.workflow;
    const live = emptyRun(own.id);
    // Each under the edition that the run had then.
    let then: AnyWorkflow | undefined;
    for (const record of records) {
      then = editionOf(own, record.changes) ?? then;
      applyRecord(live, record, (then ?? own.workflow).graph);
    }
    const isSame = plain(foldRecords(own.id, records, graph)) === plain(live);
    hold(isSame, "fold", () => `${own.id} is not folded as it was live`);
    const status = live.status === own.status && live.revision === own.revision;
    hold(status, "fold", () => `${own.id} is loaded as ${live.status} at ${live.revision}`);
  }

  return {
    accounts,
    account,
    committed(commit, life, latest, tick) {
      const own = account(commit.id);
      const { status } = own;
      const isParked = checkEdition(own, commit, life, coverage);
      checkRecord(own, commit, latest, coverage, isParked);
      checkTakeover(own, commit, latest, isDead);
      // What is decided in this commit is decided under the edition that it names.
      own.workflow = editionOf(own, commit.changes) ?? own.workflow;
      own.model = models.get(own.workflow) as ModelWorkflow;
      checkSteps(own, commit, witness, coverage);
      if (!isParked) {
        checkInboxOrder(own, commit);
        checkDueFirst(own, commit);
      }
      checkRetry(own, commit);
      checkCancelAgain(own, commit);
      enter(own, commit, tick);
      checkJoins(own);
      if (pureChoices) checkChoices(own, Object.keys(commit.changes.steps ?? {}));
      checkStatus(own);
      if (!isParked) checkEnding(own, commit);
      // A cancel has what could not be undone be undone once more, when the others have been.
      const redoes = commit.changes.commands?.some(({ type }) => type === "cancel") === true;
      if (own.ending && !redoes) checkOrderOfUndoing(own, Object.keys(commit.changes.steps ?? {}));
      if (commit.header) own.lookAt = isParked && callsForCode(commit) ? commit.changes.at : undefined;
      checkHeader(own, commit);
      if (own.status === status) return;
      meet(coverage, "statuses", own.status);
      if (own.status === "completed" || own.status === "failed" || own.status === "cancelled") meetJoins(own, coverage);
      compareWithModel(own);
    },
    removed(id, through, tick) {
      const own = account(id);
      if (through < own.firstRevision || own.revision === 0) return;
      hold(
        own.status === "deleted",
        "commit-lost",
        () => `${id} is ${own.status} at revision ${own.revision}, and is removed through ${through}`,
      );
      for (const revision of own.records.keys()) {
        if (revision > through) continue;
        own.records.delete(revision);
        own.payloads.delete(revision);
      }
      if (through < own.revision) return;
      open(id, own.removals + 1, own.editions);
      account(id).changedAt = tick;
    },
    async audit(storage) {
      for (const own of accounts.values()) await auditOne(own, storage);
    },
  };
}

/** Where two journals differ; -1 when they do not. */
function firstDifference(found: readonly StoredRecord[], written: readonly StoredRecord[]): number {
  const longer = found.length > written.length ? found : written;
  return longer.findIndex((_, index) => !isSameRecord(found[index], written[index]));
}

function isSameRecord(one: StoredRecord | undefined, other: StoredRecord | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (one.revision !== other.revision || one.run !== other.run || one.nonce !== other.nonce) return false;
  // What was written is frozen: the same object has not changed.
  return one.changes === other.changes || JSON.stringify(one.changes) === JSON.stringify(other.changes);
}

function plain(state: RunState): string {
  const { steps: table, inbox, commands, open, ...rest } = state;
  // In any order: those that the graph does not have stand as they came.
  const steps = [...table].sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify({ ...rest, steps, inbox: [...inbox], commands: [...commands], open: [...open] });
}
