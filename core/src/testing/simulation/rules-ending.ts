import { CANCEL_GRACE_MS } from "../../engine/limits.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOpenStep, isOver } from "./account.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";

/**
 * What runs when a run begins to end has a grace; once that is over, nothing is left of it. Called after the commit.
 * @throws Violation
 */
export function checkEnding(account: Account, { changes, expected }: Commit): void {
  const { ending, id, steps, status } = account;
  if (changes.ending && [...steps.values()].some(isOpenStep)) {
    const grace = changes.ending.until - changes.at;
    hold(grace === CANCEL_GRACE_MS, "end-final", () => `${id} gives what runs ${grace} ms at revision ${expected + 1}`);
  }
  if (ending === undefined || isOver(status)) return;
  // A commit that only renews a lease decides nothing.
  if (changes.at < ending.until || (changes.steps ?? changes.commands ?? changes.ending) === undefined) return;
  for (const [name, step] of steps) {
    hold(!isOpenStep(step), "end-final", () => {
      return `${id}/${name} is ${step.status} at revision ${expected + 1}, and the grace ended at ${ending.until}`;
    });
  }
}

/** What runs when its run begins to end is given up at the end of its grace, and not before. @throws Violation */
export function checkGrace(account: Account, { changes }: Commit, life: Life, name: string): void {
  const ending = changes.ending ?? account.ending;
  const before = account.steps.get(name);
  const after = changes.steps?.[name];
  if (ending === undefined || !life.alive || life.closing || after?.outrun) return;
  const counted = after?.failures !== before?.failures || after?.interruptions !== before?.interruptions;
  // A run that ends goes on to, with what it had, when it is cancelled as well.
  const until = account.ending?.until ?? changes.at + CANCEL_GRACE_MS;
  const early = !counted && changes.at < until;
  hold(!early, "end-final", () => `${account.id}/${name} is given up at ${changes.at}, it has until ${until}`);
}
