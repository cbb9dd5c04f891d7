import { DONE, type StepNode } from "./graph.ts";
import type { Problems } from "./problems.ts";
import { type AnyStep, needName } from "./step.ts";

/** One way in which a step can end, and where that leads. */
interface Option {
  readonly event: string | undefined;
  readonly targets: readonly number[];
}

/** That every `needs` and `maybeNeeds` names a step of the workflow, and every `when` one of its events. */
export function checkNeedNames(steps: ReadonlyMap<string, AnyStep>, problems: Problems): void {
  for (const { name, definition } of steps.values()) {
    for (const need of [...definition.needs, ...definition.maybeNeeds]) {
      const needed = needName(need);
      const step = steps.get(needed);
      if (step === undefined || step !== ("when" in need ? need.step : need)) {
        problems.add("NEED_UNKNOWN", `${name} needs ${needed}, which is not a step of the workflow`, name, needed);
      } else if ("when" in need && !step.definition.events.includes(need.when)) {
        const message = `${name} needs event ${need.when} of ${needed}, which has none`;
        problems.add("NEED_EVENT_UNKNOWN", message, name, needed, need.when);
      }
    }
  }
}

/**
 * That every `needs` is certain: no choice of outcomes runs the step without what it needs, and what it needs is
 * settled before.
 *
 * @param order the steps so that edges lead forward
 */
export function checkNeeds(
  nodes: readonly StepNode[],
  order: readonly number[],
  steps: readonly AnyStep[],
  problems: Problems,
): void {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const answers = new Map<string, (at: number) => boolean>();
  for (const step of steps) {
    const at = byName.get(step.name);
    for (const need of step.definition.needs) {
      const needed = byName.get(needName(need));
      const event = "when" in need ? need.when : undefined;
      // What is not there is told already.
      if (at === undefined || needed === undefined || (event !== undefined && !needed.routes.has(event))) continue;
      const key = `${needed.index} ${event ?? ""}`;
      const certain = answers.get(key) ?? certainty(nodes, order, needed.index, event);
      answers.set(key, certain);
      if (certain(at.index)) continue;
      const what = event === undefined ? needed.name : `${needed.name} with ${event}`;
      const message = `${step.name} needs ${what}, which may not have run; see maybeNeeds`;
      problems.add("NEED_NOT_CERTAIN", message, step.name, needed.name);
    }
  }
}

function optionsOf(node: StepNode): Option[] {
  const options: Option[] = [];
  for (const [event, route] of node.routes) {
    if (route.choice) for (const target of route.targets) options.push({ event, targets: [target] });
    else options.push({ event, targets: route.targets });
  }
  if (typeof node.onFailure === "number") options.push({ event: undefined, targets: [node.onFailure] });
  if (node.onFailure === "skip") options.push({ event: undefined, targets: [] });
  return options;
}

/**
 * The definition of DESIGN.md, section 2: a step is doomed if it is the needed one, or if each of its options has a
 * doomed target. The needed step is certain at a step that cannot be reached through options without doomed targets,
 * and before which it is settled. When the needed step fails and goes on by its failure route, it leaves no result: that
 * option avoids it.
 *
 * @param order the steps so that edges lead forward
 */
export function certainty(
  nodes: readonly StepNode[],
  order: readonly number[],
  needed: number,
  event: string | undefined,
): (at: number) => boolean {
  const options = nodes.map(optionsOf);
  const doomed = new Set<number>();
  const leadsToDoom = (index: number, option: Option) => {
    const provides = option.event !== undefined && (event === undefined || option.event === event);
    return (index === needed && provides) || option.targets.some((target) => doomed.has(target));
  };
  for (const index of [...order].reverse()) {
    if ((options[index] as readonly Option[]).every((option) => leadsToDoom(index, option))) doomed.add(index);
  }

  const starts = nodes.filter((node) => node.isStart).map((node) => node.index);
  const avoiding = new Set(starts.some((index) => doomed.has(index)) ? [] : starts);
  for (const index of avoiding) {
    for (const option of options[index] as readonly Option[]) {
      if (leadsToDoom(index, option)) continue;
      for (const target of option.targets) if (target !== DONE) avoiding.add(target);
    }
  }

  const settled = new Set<number>();
  for (const index of order) {
    const { sources, atLeast, isStart } = nodes[index] as StepNode;
    const before = (source: number) => source === needed || settled.has(source);
    // A start is an edge from nothing: before it nothing is settled.
    const isSettled = atLeast === undefined ? sources.some(before) : !isStart && sources.every(before);
    if (isSettled && sources.length > 0) settled.add(index);
  }
  return (at) => at !== needed && !avoiding.has(at) && settled.has(at);
}
