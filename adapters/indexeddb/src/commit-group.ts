import { type Commit, type CommitResult, type Header, HephaestusError } from "@hephaestus/core";
import { unwrap } from "idb";
import { storesOf, writeCommit } from "./commit.ts";
import { isKnown, rowBefore, rowOf, sendCommits } from "./commit-unread.ts";
import type { Connection, Transaction } from "./connection.ts";
import type { StoreName } from "./schema.ts";
import { learnHead, register, type Standing, standingOf } from "./standing.ts";

/** Commits of many instances, in one transaction. */
export interface GroupCommit {
  commit(commits: readonly Commit[], durability: IDBTransactionDurability | undefined): Promise<CommitResult[]>;
  /** What may be learned from what this transaction reads. Undefined as long as there is no standing. */
  standingIn(transaction: Transaction<"readonly" | "readwrite">): Standing | undefined;
  /** Forgets an instance while records of it are removed. */
  whileRemoving<T>(id: string, remove: (standing: Standing | undefined) => Promise<T>): Promise<T>;
}

/**
 * Sends what it can without looking, and looks where that was refused or not enough is known: a conflict is found by
 * the same transaction for all of a group, and costs them a second one.
 */
export function groupCommit(connection: Connection): GroupCommit {
  let current: Standing | undefined;
  let isRegistering = false;
  /** The last one whose ticket was seen to be taken. */
  let revoked: Standing | undefined;

  function standingIn(transaction: Transaction<"readonly" | "readwrite">): Standing | undefined {
    if (current?.database !== unwrap(transaction).db) current = undefined;
    return current;
  }

  /** @returns whether all are committed; nothing is where they are not */
  async function sendUnread(
    standing: Standing,
    commits: readonly Commit[],
    durability: IDBTransactionDurability | undefined,
  ): Promise<boolean> {
    standing.isSending = true;
    try {
      const send = async (transaction: Transaction<"readwrite">) => {
        if (standingIn(transaction) !== standing) return false;
        sendCommits(transaction, standing, commits);
        return true;
      };
      if (!(await connection.write(storesOf(commits), send, durability))) return false;
      standing.transactions += 1;
      for (const commit of commits) learnCommit(standing, commit, undefined);
      return true;
    } catch (error) {
      if (error instanceof HephaestusError && error.details.reason === "ConstraintError") return false;
      if (current === standing) current = undefined;
      throw error;
    } finally {
      standing.isSending = false;
    }
  }

  async function writeChecked(
    commits: readonly Commit[],
    durability: IDBTransactionDurability | undefined,
  ): Promise<CommitResult[]> {
    const registers = current === undefined && !isRegistering;
    const stores: StoreName[] = registers ? [...storesOf(commits), "writers"] : storesOf(commits);
    isRegistering ||= registers;
    try {
      const { written, standing } = await connection.write(
        stores,
        async (transaction) => {
          const known = standingIn(transaction);
          const [writer, ...written] = await Promise.all([
            registers && !known ? register(transaction, revoked) : undefined,
            ...commits.map((commit) => writeCommit(transaction, commit)),
          ]);
          const standing = writer === undefined ? known : standingOf(unwrap(transaction).db, writer);
          return { written, standing };
        },
        durability,
      );
      const isNew = registers && standing !== undefined && current === undefined;
      if (isNew) {
        current = standing;
        revoked = undefined;
      }
      commits.forEach((commit, index) => {
        const { result, row } = written[index] ?? {};
        if (result !== "ok") standing?.heads.delete(commit.id);
        else if (standing) learnCommit(standing, commit, row);
      });
      return written.map(({ result }) => result);
    } finally {
      if (registers) isRegistering = false;
    }
  }

  return {
    standingIn,
    async commit(commits, durability) {
      const standing = current;
      const isSent = standing !== undefined && !standing.isSending && isKnown(standing, commits);
      if (isSent && (await sendUnread(standing, commits, durability))) return commits.map(() => "ok");
      const results = await writeChecked(commits, durability);
      // Nobody was in the way of any of them: its ticket was taken.
      if (isSent && current === standing && !results.includes("conflict")) {
        revoked = standing;
        current = undefined;
      }
      return results;
    },
    async whileRemoving(id, remove) {
      const standing = current;
      standing?.removing.push(id);
      standing?.heads.delete(id);
      try {
        return await remove(standing);
      } finally {
        standing?.removing.splice(standing.removing.indexOf(id), 1);
      }
    },
  };
}

/** @param row that was written with it; otherwise the one that is known stays */
function learnCommit(standing: Standing, commit: Commit, row: Header | undefined): void {
  const { id, expected } = commit;
  learnHead(standing, id, expected + 1, row ?? rowOf(commit, rowBefore(standing, commit)));
}
