import type { CommandType } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOver } from "./account.ts";
import { type Coverage, meet } from "./coverage.ts";
import { codeAt, isParkedAt, lostIn } from "./editions.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";

/** What needs no code. */
const HEARD: ReadonlySet<CommandType> = new Set(["event", "pause", "unpause", "cancel", "delete"]);
/** After these, somebody who has the code is to look at once. */
const CALLS: ReadonlySet<CommandType> = new Set(["event", "unpause", "cancel"]);

/**
 * A worker begins runs under the edition of the code that it has, and goes on with those alone; with others after an
 * adoption that the edition allows. Of all others it changes nothing but what needs no code. Called before the commit is
 * entered.
 * @returns whether whoever made it has another edition than the run
 * @throws Violation
 */
export function checkEdition(account: Account, commit: Commit, life: Life, coverage: Coverage): boolean {
  const { changes, expected } = commit;
  const own = codeAt(account, life);
  const label = () => `revision ${expected + 1} of ${account.id} by worker ${life.worker}`;
  const named = changes.run?.fingerprint ?? changes.fingerprint;
  if (named !== undefined) {
    hold(named === own.graph.fingerprint, "editions", () => `${label()} names a graph that its worker does not have`);
    if (changes.run === undefined) checkAdoption(account, commit, life, label, coverage);
    return false;
  }
  if (!isParkedAt(account, life)) return false;
  checkUntouched(account, commit, label);
  // A tombstone lists what may come again.
  const types = new Set(changes.status === "deleted" ? ["delete"] : changes.commands?.map(({ type }) => type));
  if (!isOver(account.status)) for (const type of types) meet(coverage, "editions", `parked ${type}`);
  return true;
}

/** What is adopted is all there. */
function checkAdoption(account: Account, { changes }: Commit, life: Life, label: () => string, coverage: Coverage) {
  const asked = changes.commands?.some(({ type }) => type === "adopt") === true;
  hold(asked && isParkedAt(account, life), "editions", () => `${label()} adopts what nobody asked it to`);
  const lost = lostIn(account, codeAt(account, life));
  hold(lost === undefined, "editions", () => `${label()} adopts a run, and ${lost} is not there any more`);
  meet(coverage, "editions", "adopted");
  if (account.ending) meet(coverage, "editions", "adopted ending");
}

/** Events are kept; a pause, its end and a cancel are recorded; what is deleted is deleted. */
function checkUntouched(account: Account, { changes }: Commit, label: () => string): void {
  const { steps = {}, commands = [], status, owner } = changes;
  hold(owner === undefined || status === "deleted", "editions", () => `${label()} changes the owner of what is parked`);
  const unheard = status === "deleted" ? undefined : commands.find(({ type }) => !HEARD.has(type));
  hold(unheard === undefined, "editions", () => `${label()} has ${unheard?.type} take effect on what is parked`);
  for (const [name, after] of Object.entries(steps)) {
    const { compensation: was, ...before } = account.steps.get(name) ?? {};
    const { compensation: is, ...now } = after;
    const same = JSON.stringify(before) === JSON.stringify(now);
    // A cancel of what failed asks once more for what could not be undone.
    const again = was?.status === "failed" && is?.status === "active";
    hold(same && again, "editions", () => `${label()} changes ${name} of what is parked`);
  }
}

/** Whether the row that a parked instance is written with asks for somebody who has the code. */
export function callsForCode({ changes, header }: Commit): boolean {
  return header !== undefined && changes.commands?.some(({ type }) => CALLS.has(type)) === true;
}

/** Whether a step waits beside an event that it could take: somebody without the code has kept it. */
export function isUnheard({ status, paused, ending, steps, inbox, workflow }: Account): boolean {
  if (isOver(status) || paused || ending) return false;
  return [...inbox.values()].some(({ entry, at, takenBy }) => {
    if (takenBy !== undefined) return false;
    return [...steps].some(([name, { status, wakeAt = Number.POSITIVE_INFINITY }]) => {
      const takes = workflow.graph.byName.get(name)?.receives.has(entry.event) && (entry.step ?? name) === name;
      return status === "waiting" && takes && at < wakeAt;
    });
  });
}
