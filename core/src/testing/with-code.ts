import type { AnyStep, StepDefinition } from "../definition/step.ts";
import { type Edges, isChoice } from "../definition/transitions.ts";
import type { AnyWorkflow } from "../definition/workflow.ts";

/** What of a step is code, to be run in the place of its own. */
export type StepCode = Pick<StepDefinition, "run" | "compensate">;

/**
 * A workflow of the same graph, whose steps run other code. The fingerprint is the graph's, so that what one of them
 * began the other goes on with.
 * @param codeOf asked once for each step
 */
export function withCode(workflow: AnyWorkflow, codeOf: (step: AnyStep) => StepCode): AnyWorkflow {
  const made = new Map<AnyStep, AnyStep>();
  const copyOf = (step: AnyStep): AnyStep => {
    const known = made.get(step);
    if (known) return known;
    const { run: _run, compensate: _compensate, ...definition } = step.definition;
    const copy = { ...step, definition: { ...definition, ...codeOf(step) } };
    made.set(step, copy);
    return copy;
  };
  const target = (one: Edges["edges"][string]) => {
    if (isChoice(one)) return { ...one, targets: one.targets.map(copyOf) };
    return Array.isArray(one) ? one.map(copyOf) : copyOf(one as AnyStep);
  };
  const edges = workflow.definition.edges.map(({ step, edges: own }) => ({
    step: copyOf(step),
    edges: Object.fromEntries(Object.entries(own).map(([event, one]) => [event, target(one)])),
  }));
  return { ...workflow, definition: { ...workflow.definition, edges } };
}
