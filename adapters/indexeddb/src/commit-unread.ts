import { type Commit, type Header, mergeHeader } from "@hephaestus/core";
import { unwrap } from "idb";
import { payloadsApart, recordOf } from "./commit.ts";
import type { Transaction } from "./connection.ts";
import type { Ticket } from "./schema.ts";
import type { Standing } from "./standing.ts";

/** Whether a writer knows all that these commits depend on. */
export function isKnown({ heads }: Standing, commits: readonly Commit[]): boolean {
  return commits.every(({ id, run, expected, header }) => {
    const head = heads.get(id);
    // That its first key is free is all that a start needs.
    if (expected === 0) return head === undefined;
    return head?.revision === expected && (header === undefined || head.row?.run === run);
  });
}

/**
 * Asks for nothing and waits for nothing, so that the transaction can be committed at once: one round trip to the
 * browser's process, where a look at the predecessor makes it two. A key or a ticket that is taken aborts it as a
 * whole, with a ConstraintError.
 */
export function sendCommits(
  transaction: Transaction<"readwrite">,
  standing: Standing,
  commits: readonly Commit[],
): void {
  const stores = unwrap(transaction);
  const journal = stores.objectStore("journal");
  let ticket: Ticket | undefined = [standing.writer, standing.transactions + 1];
  for (const commit of commits) {
    const key = [commit.id, commit.expected + 1];
    const apart = payloadsApart(commit);
    journal.add(recordOf(commit, ticket), key);
    ticket = undefined;
    if (apart) stores.objectStore("payloads").add(apart, key);
    if (commit.header) stores.objectStore("headers").put(rowOf(commit, rowBefore(standing, commit)));
  }
}

/** The row that the commit finds, where it is known. */
export function rowBefore({ heads }: Standing, { id, run, expected }: Commit): Header | undefined {
  const head = heads.get(id);
  return head?.revision === expected && head.row?.run === run ? head.row : undefined;
}

/** The row of the commit's run once it is committed, where it is known. */
export function rowOf({ header }: Commit, before: Header | undefined): Header | undefined {
  return header && before ? mergeHeader(before, header) : (header ?? before);
}
