import type { StepNode } from "../../definition/graph.ts";
import type { StepState } from "../../engine/state.ts";
import type { Commit } from "../../runtime/storage.ts";
import { type Account, isOpenStep } from "./account.ts";
import { takenBy } from "./rules-joins.ts";
import { hold } from "./violation.ts";

/**
 * A retry runs anew what failed, what the failure cancelled and what was compensated, and what came after those; all
 * else stays as it is. Only what was compensated gets another idempotency key. Called before the commit is entered.
 * @throws Violation
 */
export function checkRetry(account: Account, { changes, expected }: Commit): void {
  if (changes.status === "deleted" || !changes.commands?.some(({ type }) => type === "retry")) return;
  const { nodes, byName } = account.workflow.graph;
  const label = (name: string) => `${account.id}/${name} in revision ${expected + 1}`;
  const isAnew = ({ name }: StepNode) => {
    const before = account.steps.get(name);
    return before !== undefined && (changes.steps?.[name]?.attempt ?? 1) > (before.attempt ?? 1);
  };
  const anew = new Set(nodes.filter(isAnew).map(({ index }) => index));
  const behind = behindAll(nodes, anew, account);
  for (const [name, before] of account.steps) {
    const node = byName.get(name);
    // What was skipped under another edition may not be in this one.
    if (node === undefined) continue;
    const after = changes.steps?.[name] ?? before;
    const isReset = anew.has(node.index);
    const follows = node.sources.some((source) => anew.has(source));
    const isLed = isLedTo(account, node, anew);
    const isBehind = follows && before.status !== "idle" && !isLed;
    if (isToRunAnew(node, before) || isBehind || isOutrunNoMore(account, node, before, anew)) {
      hold(isReset, "retries", () => `${label(name)} stays ${before.status} after a retry`);
    } else if (isLed && before.status !== "idle") {
      hold(!isReset, "retries", () => `${label(name)} is run anew, and enough that stays leads to it`);
    } else if (!node.sources.some((source) => behind.has(source))) {
      const isBack =
        before.outrun === true && nodes.some(({ index, cancels }) => anew.has(index) && cancels.includes(node.index));
      hold(!isReset || isBack, "retries", () => `${label(name)} is run anew, and came after nothing that is`);
    }
    checkLife(before, after, isReset, () => label(name));
  }
}

/**
 * A cancel of what failed has all undone that could not be, and keeps why it failed. Called before the commit is
 * entered. @throws Violation
 */
export function checkCancelAgain(account: Account, { changes, expected }: Commit): void {
  if (account.status !== "failed" || changes.status === "deleted") return;
  const types = new Set(changes.commands?.map(({ type }) => type));
  if (!changes.ending || !types.has("cancel") || types.has("retry")) return;
  const label = `${account.id} in revision ${expected + 1}`;
  const same = changes.ending.error?.message === account.ending?.error?.message;
  hold(same || account.ending === undefined, "end-final", () => `${label} forgets why it failed`);
  for (const [name, { compensation }] of account.steps) {
    if (compensation?.status !== "failed") continue;
    const again = changes.steps?.[name]?.compensation?.status === "active";
    hold(again, "compensation", () => `${label} is cancelled, and does not try again to undo ${name}`);
  }
}

/** What is run anew, and what comes after it without having been reached. */
function behindAll(nodes: readonly StepNode[], anew: ReadonlySet<number>, { steps }: Account): ReadonlySet<number> {
  const behind = new Set(anew);
  for (const index of behind) {
    for (const target of nodes[index]?.targets ?? []) {
      const next = nodes[target];
      if (next && (steps.get(next.name)?.status ?? "idle") === "idle") behind.add(target);
    }
  }
  return behind;
}

function isToRunAnew({ onFailure }: StepNode, { status, outrun, compensation }: StepState): boolean {
  if (compensation?.status === "completed") return true;
  return (status === "failed" && onFailure === undefined) || (status === "cancelled" && !outrun);
}

/** Whether enough steps that stay as they are lead to a relaxed join: then it does not come after those that are run anew. */
function isLedTo({ steps, workflow: { graph } }: Account, node: StepNode, anew: ReadonlySet<number>): boolean {
  if (node.atLeast === undefined) return false;
  const leads = (source: number) => {
    const from = graph.nodes[source] as StepNode;
    const step = steps.get(from.name);
    return !anew.has(source) && step !== undefined && takenBy(graph, from, step).includes(node.index);
  };
  return node.sources.filter(leads).length + Number(node.isStart) >= node.atLeast;
}

/** What a join had ended that started without it, when that join is run anew and no other that did so has started. */
function isOutrunNoMore(
  { steps, workflow: { graph } }: Account,
  { index }: StepNode,
  step: StepState,
  anew: ReadonlySet<number>,
) {
  const joins = step.outrun ? graph.nodes.filter(({ cancels }) => cancels.includes(index)) : [];
  const started = joins.some(({ name, index: join }) => !anew.has(join) && hasStarted(steps.get(name)));
  return !started && joins.some(({ index: join }) => anew.has(join));
}

function hasStarted(step: StepState | undefined): boolean {
  return step !== undefined && (isOpenStep(step) || step.status === "completed" || step.status === "failed");
}

/** What a step keeps of the life before. */
function checkLife(before: StepState, after: StepState, isReset: boolean, label: () => string): void {
  const undone = before.compensation?.status === "completed";
  const epoch = (before.epoch ?? 0) + Number(isReset && undone);
  hold((after.epoch ?? 0) === epoch, "context", () => `${label()} goes on with epoch ${after.epoch}, not ${epoch}`);
  const last = before.compensation ? (before.compensation.attempt ?? 1) : (before.compensations ?? 0);
  const kept = (after.compensations ?? 0) === last;
  hold(kept, "compensation", () => `${label()} goes on from compensation ${after.compensations}, not ${last}`);
  if (!isReset) {
    // What an earlier retry reset, and nothing has reached since: the edges that are taken now may lead to it.
    if (before.status === "idle") return;
    const stays = after.result === before.result && after.event === before.event && after.taken === before.taken;
    hold(stays, "recorded-once", () => `${label()} was settled, and a retry changes how`);
    return;
  }
  const saved = undone ? undefined : before.checkpoints;
  const same = JSON.stringify(after.checkpoints) === JSON.stringify(saved);
  hold(same, "context", () => `${label()} goes on with other checkpoints than it had`);
}
