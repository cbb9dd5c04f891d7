import type { StepNode } from "../../definition/graph.ts";
import type { Changes, InboxEntry, StepState, Timestamp } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOver } from "./account.ts";
import { hold } from "./violation.ts";

/** An event that no step has taken, once a commit is made. */
interface Left {
  readonly entry: InboxEntry;
  readonly at: Timestamp;
}

/**
 * Looks at the events that a commit leaves untaken, and at whoever takes one, begins to wait or ends by its timer in it:
 * the first event goes first, one that came in time goes before the timer, and none waits beside a step that waits for
 * it. Called before the commit is entered. @throws Violation
 */
export function checkInboxOrder(account: Account, { changes, expected }: Commit): void {
  if (changes.run || changes.status === "deleted" || (account.inbox.size === 0 && changes.inbox === undefined)) return;
  // A step that was given another deadline may have an event beside it that came too late for the one before.
  if (changes.commands?.some(({ type }) => type === "schedule" || type === "retry")) return;
  const left = leftOf(account, changes);
  if (left.size === 0) return;
  const isStill = (changes.paused ?? account.paused) || isEnding(account, changes);
  const label = (name: string) => `${account.id}/${name} in revision ${expected + 1}`;
  for (const [name, after] of Object.entries(changes.steps ?? {})) {
    const before = account.steps.get(name);
    const node = account.workflow.graph.byName.get(name) as StepNode;
    const waited = before?.status === "waiting";
    if (after.taken !== undefined && before?.taken === undefined) {
      const earlier = firstFor(node, cameBefore(account, left, after.taken), deadlineOf(node, before, changes.at));
      hold(earlier === undefined, "events", () => `${label(name)} takes ${after.taken}, ${earlier} came before it`);
    } else if (waited && after.status !== "waiting" && after.status !== "cancelled") {
      const late = firstFor(node, left, before.wakeAt);
      hold(late === undefined, "events", () => `${label(name)} ends by its timer, and ${late} had come in time`);
    } else if (!waited && after.status === "waiting" && !isStill) {
      const missed = firstFor(node, left, after.wakeAt);
      hold(missed === undefined, "events", () => `${label(name)} begins to wait, and ${missed} waits for it`);
    }
  }
  if (changes.inbox && !isStill) checkQueued(account, changes, left, label);
}

/** Commands before which what is due comes first. */
const ASKED_NOW: ReadonlySet<string> = new Set(["event", "schedule", "pause", "cancel"]);

/** What was due when something was asked has fired before it. Called before the commit is entered. @throws Violation */
export function checkDueFirst({ id, steps, paused }: Account, { changes, expected }: Commit): void {
  if (paused || changes.run || !changes.commands?.some(({ type }) => ASKED_NOW.has(type))) return;
  for (const [name, before] of steps) {
    if (before.wakeAt === undefined || before.wakeAt > changes.at) continue;
    const after = changes.steps?.[name] ?? before;
    const fired = after.wakeAt !== before.wakeAt || after.status !== before.status;
    hold(fired, "timer-early", () => `${id}/${name} was due at ${before.wakeAt}, before revision ${expected + 1}`);
  }
}

/** An event that is kept is one that no step waits for. */
function checkQueued(
  { steps, workflow }: Account,
  changes: Changes,
  left: ReadonlyMap<string, Left>,
  label: (name: string) => string,
): void {
  const queued = new Map([...left].filter(([id]) => changes.inbox?.some((entry) => entry.id === id)));
  if (queued.size === 0) return;
  for (const [name, before] of steps) {
    const { status, wakeAt } = changes.steps?.[name] ?? before;
    if (status !== "waiting") continue;
    const missed = firstFor(workflow.graph.byName.get(name) as StepNode, queued, wakeAt);
    hold(missed === undefined, "events", () => `${label(name)} waits, and ${missed} is kept`);
  }
}

function isEnding({ ending, status }: Account, changes: Changes): boolean {
  if (isOver(changes.status ?? status)) return true;
  return changes.ending === undefined ? ending !== undefined : changes.ending !== null;
}

/** In the order in which they came. */
function leftOf({ inbox }: Account, changes: Changes): ReadonlyMap<string, Left> {
  const taken = new Set<string>();
  for (const name in changes.steps) {
    const id = changes.steps[name]?.taken;
    if (id !== undefined) taken.add(id);
  }
  const left = new Map<string, Left>();
  for (const [id, { entry, at, takenBy }] of inbox) {
    if (takenBy === undefined && !taken.has(id)) left.set(id, { entry, at });
  }
  for (const entry of changes.inbox ?? []) if (!taken.has(entry.id)) left.set(entry.id, { entry, at: changes.at });
  return left;
}

/** Of those that are left, what was accepted in an earlier commit than one that is taken. */
function cameBefore({ inbox }: Account, left: ReadonlyMap<string, Left>, taken: string): ReadonlyMap<string, Left> {
  const revision = inbox.get(taken)?.revision ?? Number.POSITIVE_INFINITY;
  return new Map([...left].filter(([id]) => (inbox.get(id)?.revision ?? Number.POSITIVE_INFINITY) < revision));
}

/** When it is too late for an event; of a step that begins to wait in this commit, too. */
function deadlineOf(node: StepNode, before: StepState | undefined, at: Timestamp): Timestamp | undefined {
  if (before?.status === "waiting") return before.wakeAt;
  return node.durationMs === undefined ? undefined : at + node.durationMs;
}

/** The first event that a step may take. */
function firstFor(
  { name, receives }: StepNode,
  left: ReadonlyMap<string, Left>,
  deadline: Timestamp = Number.POSITIVE_INFINITY,
): string | undefined {
  for (const [id, { entry, at }] of left) {
    if (receives.has(entry.event) && (entry.step ?? name) === name && at < deadline) return id;
  }
  return undefined;
}
