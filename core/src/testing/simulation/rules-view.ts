import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { InstanceView } from "../../runtime/instance-view.ts";
import { type Account, isOver, resultTextOf } from "./account.ts";
import { hold } from "./violation.ts";

/**
 * What a caller is shown of an instance is what the journal says of that revision.
 * @param code what is here for it
 * @throws Violation
 */
export function checkView(account: Account, view: InstanceView, code: AnyWorkflow): void {
  const { id, run, revision } = account;
  if (view.run !== run) return;
  const then = account.statusAt.get(view.revision);
  hold(then === view.status, "answer-true", () => `${id} is shown ${view.status} at ${view.revision}, and was ${then}`);
  if (view.revision !== revision) return;
  const is = (field: string, shown: unknown, stored: unknown) =>
    hold(shown === stored, "answer-true", () => `${id} at ${revision} is shown with ${field} ${shown}, not ${stored}`);
  is("parked", view.parked, account.workflow !== code);
  is("createdAt", view.createdAt, account.records.get(account.firstRevision)?.changes.at);
  is("updatedAt", view.updatedAt, account.records.get(revision)?.changes.at);
  is("endedAt", view.endedAt, isOver(account.status) ? account.ends.get(run) : undefined);
  is("error", view.error?.message, account.ending?.error?.message);
  is("input", textOf(view.input), account.payloads.get(account.firstRevision)?.input);
  const left = [...account.inbox].filter(([, { takenBy }]) => takenBy === undefined);
  is("inbox", view.inbox.map((event) => event.id).join(), left.map(([event]) => event).join());
  is("steps", Object.keys(view.steps).sort().join(), [...account.steps.keys()].sort().join());
  for (const [name, step] of account.steps) {
    const shown = view.steps[name];
    is(`${name}.status`, shown?.status, step.status);
    is(`${name}.attempt`, shown?.attempt, step.attempt ?? 1);
    is(`${name}.failures`, shown?.failures, step.failures ?? 0);
    is(`${name}.interruptions`, shown?.interruptions, step.interruptions ?? 0);
    is(`${name}.event`, shown?.event, step.event);
    is(`${name}.wakeAt`, shown?.wakeAt, step.wakeAt);
    is(`${name}.error`, shown?.error?.message, step.error?.message);
    is(`${name}.compensation`, shown?.compensation?.status, step.compensation?.status);
    is(`${name}.result`, textOf(shown?.result), resultTextOf(account, name));
  }
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
