import { DONE, type StepNode } from "./graph.ts";
import type { Problems } from "./problems.ts";
import { type AnyStep, type Need, needName } from "./step.ts";

/** One way in which a step can end, and where that leads. */
interface Option {
  readonly event: string | undefined;
  readonly targets: readonly number[];
}

/**
 * That every `needs` is certain: no choice of outcomes runs the step without what it needs, and what it needs is
 * settled before. And that every `maybeNeeds` and every `when` names what exists.
 *
 * @param order the steps so that edges lead forward
 */
export function checkNeeds(
  nodes: readonly StepNode[],
  byName: ReadonlyMap<string, StepNode>,
  order: readonly number[],
  steps: readonly AnyStep[],
  problems: Problems,
): void {
  const options = nodes.map(optionsOf);
  const starts = nodes.filter((node) => node.isStart).map((node) => node.index);
  const answers = new Map<string, (at: number) => boolean>();
  for (const step of steps) {
    const at = byName.get(step.name) as StepNode;
    for (const need of [...step.definition.needs, ...step.definition.maybeNeeds]) {
      const needed = byName.get(needName(need));
      if (needed === undefined) {
        problems.add(
          "NEED_UNKNOWN",
          `${step.name} needs ${needName(need)}, which is not a step of the workflow`,
          step.name,
          needName(need),
        );
        continue;
      }
      const event = "when" in need ? need.when : undefined;
      if (event !== undefined && !needed.routes.has(event)) {
        problems.add(
          "NEED_EVENT_UNKNOWN",
          `${step.name} needs event ${event} of ${needed.name}, which has none`,
          step.name,
          needed.name,
          event,
        );
        continue;
      }
      if (!step.definition.needs.includes(need as Need)) continue;
      const key = `${needed.index} ${event ?? ""}`;
      let certain = answers.get(key);
      if (certain === undefined) {
        certain = certainty(nodes, options, starts, order, needed.index, event);
        answers.set(key, certain);
      }
      if (certain(at.index)) continue;
      const what = event === undefined ? needed.name : `${needed.name} with ${event}`;
      problems.add(
        "NEED_NOT_CERTAIN",
        `${step.name} needs ${what}, which may not have run before it; see maybeNeeds`,
        step.name,
        needed.name,
      );
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
 * and before which it is settled.
 */
function certainty(
  nodes: readonly StepNode[],
  options: readonly (readonly Option[])[],
  starts: readonly number[],
  order: readonly number[],
  needed: number,
  event: string | undefined,
): (at: number) => boolean {
  const doomed = new Set<number>();
  const leadsToDoom = (index: number, option: Option) =>
    (index === needed && (event === undefined || option.event === event)) ||
    option.targets.some((target) => doomed.has(target));
  for (const index of [...order].reverse()) {
    const own = options[index] as readonly Option[];
    if (own.every((option) => leadsToDoom(index, option))) doomed.add(index);
  }

  const avoiding = new Set(starts.some((index) => doomed.has(index)) ? [] : starts);
  for (const index of avoiding) {
    for (const option of options[index] as readonly Option[]) {
      if (leadsToDoom(index, option)) continue;
      for (const target of option.targets) if (target !== DONE) avoiding.add(target);
    }
  }

  const settled = new Set<number>();
  for (const index of order) {
    const node = nodes[index] as StepNode;
    const before = (source: number) => source === needed || settled.has(source);
    // A start is an edge from nothing: before it nothing is settled.
    const all = node.atLeast === undefined ? node.sources.some(before) : !node.isStart && node.sources.every(before);
    if (all && node.sources.length > 0) settled.add(index);
  }
  return (at) => at !== needed && !avoiding.has(at) && settled.has(at);
}
