import { DONE_NAME } from "../../definition/graph.ts";
import type { JsonText } from "../../definition/json.ts";
import { type Choice, isChoice } from "../../definition/transitions.ts";
import { type Account, resultTextOf } from "./account.ts";
import { hold } from "./violation.ts";

/**
 * The stored targets of a choice are those that its code chose. Only where the code depends on nothing but what it is
 * given, as that of random workflows does. @throws Violation
 */
export function checkChoices(account: Account, changed: Iterable<string>): void {
  // A tombstone tells nothing of the ending that came before it in its commit.
  if (account.ending !== undefined || account.status === "deleted") return;
  for (const name of changed) {
    const step = account.steps.get(name);
    if (step?.status !== "completed" || step.outrun || step.event === undefined) continue;
    const edges = account.workflow.definition.edges.find((one) => one.step.name === name)?.edges[step.event];
    if (!isChoice(edges)) continue;
    hold(step.targets !== undefined, "joins", () => `${account.id}/${name} goes on without its choice`);
    const chosen = chosenBy(account, name, edges);
    const stored = [...step.targets].sort().join();
    hold(chosen === stored, "joins", () => `${account.id}/${name} goes on to ${stored}, its choice was ${chosen}`);
  }
}

function chosenBy(account: Account, name: string, choice: Choice<unknown>): string {
  const result = parsed(resultTextOf(account, name));
  const input = parsed(account.payloads.get(account.firstRevision)?.input);
  try {
    const picked = choice.pick({ input, result, results: {} });
    return [picked]
      .flat()
      .map((target) => (target as { readonly name?: string }).name ?? DONE_NAME)
      .sort()
      .join();
  } catch {
    return "nothing";
  }
}

function parsed(text: JsonText | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
