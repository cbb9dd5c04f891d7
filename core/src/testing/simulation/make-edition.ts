import type { Dice } from "./chance.ts";
import { toFlow } from "./flow.ts";
import type { PlannedEdition, PlannedStep, PlannedWorkflow, Settings } from "./plan.ts";

/** A change that gives no other graph, or one that cannot be defined, is thrown away; so often another one is tried. */
const TRIES_MAX = 20;
/** How many lives of a worker are given one edition or the other. */
const LIVES = 5;
/** The name of a step that the newer edition adds. */
const ADDED = "added";

type Shape = Pick<PlannedWorkflow, "starts" | "steps">;
type Change = (roll: Dice, shape: Shape) => Shape;

/** A newer edition of one of the workflows; undefined when no change of it was found that can be defined. */
export function makeEdition(
  roll: Dice,
  workflows: readonly PlannedWorkflow[],
  settings: Settings,
  seed: number,
): PlannedEdition | undefined {
  const of = roll.below(workflows.length);
  const older = workflows[of] as PlannedWorkflow;
  const newer = spread(roll, settings.workers);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    let shape: Shape = older;
    for (let changes = roll.between(1, 2); changes > 0; changes--) shape = CHANGES[roll.weighted(WEIGHTS)](roll, shape);
    const workflow = { ...older, ...shape };
    if (isAnother(older, workflow, seed)) return { of, workflow, newer };
  }
  return undefined;
}

/** Who has the newer edition when: a deployment that rolls over the workers, some that stay behind, or any mixture. */
function spread(roll: Dice, workers: number): boolean[][] {
  const kind = roll.one(["rolling", "split", "mixed"]);
  return Array.from({ length: workers }, () => {
    const since = kind === "split" ? LIVES * roll.below(2) : roll.below(4);
    return Array.from({ length: LIVES }, (_, life) => (kind === "mixed" ? roll.chance(0.5) : life >= since));
  });
}

function isAnother(older: PlannedWorkflow, newer: PlannedWorkflow, seed: number): boolean {
  try {
    return toFlow(newer, seed).graph.fingerprint !== toFlow(older, seed).graph.fingerprint;
  } catch {
    return false;
  }
}

const WEIGHTS = { lengthen: 3, insert: 3, remove: 3, redirect: 3, rejoin: 2, reroute: 1, remake: 1 };

const CHANGES: Readonly<Record<keyof typeof WEIGHTS, Change>> = {
  /** What led to the end leads to one more step. */
  lengthen(roll, { starts, steps }) {
    const longer = steps.map((step) => (roll.chance(0.7) ? withTargets(step, "done", [ADDED]) : step));
    return { starts, steps: [...longer, addedStep(roll, steps, "done")] };
  },
  /** A step more stands in the place of an edge. */
  insert(roll, { starts, steps }) {
    const place = roll.below(steps.length);
    const target = roll.one(targetsOf(steps[place] as PlannedStep));
    const longer = steps.flatMap((step, index) =>
      index === place ? [withTargets(step, target, [ADDED]), addedStep(roll, steps, target)] : [step],
    );
    return { starts, steps: longer };
  },
  /** A step is gone, and what led to it leads to where it led. */
  remove(roll, { starts, steps }) {
    if (steps.length === 1) return { starts, steps };
    const gone = roll.one(steps);
    const left = steps.filter((step) => step !== gone);
    const targets = targetsOf(gone);
    return {
      starts: starts.filter((name) => name !== gone.name),
      steps: left.map((step) => withTargets(step, gone.name, targets)),
    };
  },
  /** An event leads elsewhere. */
  redirect(roll, { starts, steps }) {
    const place = roll.below(steps.length);
    const later = [...steps.slice(place + 1).map(({ name }) => name), "done"];
    return change(starts, steps, place, (step) => {
      const event = roll.one(Object.keys(step.events));
      const some = later.filter(() => roll.chance(0.4));
      return { ...step, events: { ...step.events, [event]: some.length > 0 ? some : [roll.one(later)] } };
    });
  },
  /** A step waits for more or fewer of the edges that lead to it. */
  rejoin(roll, { starts, steps }) {
    return change(starts, steps, roll.below(steps.length), (step) =>
      step.atLeast === undefined
        ? { ...step, atLeast: roll.between(1, 2), cancelRest: roll.chance(0.3) }
        : { ...step, atLeast: undefined, cancelRest: false },
    );
  },
  /** A failure leads elsewhere, or fails the run. */
  reroute(roll, { starts, steps }) {
    const place = roll.below(steps.length);
    const later = steps.slice(place + 1).map(({ name }) => name);
    return change(starts, steps, place, (step) => ({ ...step, onFailure: roll.one([undefined, "skip", ...later]) }));
  },
  /** What was code waits for an event, or the other way round. */
  remake(roll, { starts, steps }) {
    return change(starts, steps, roll.below(steps.length), (step) => ({
      ...step,
      kind: step.kind === "run" ? "event" : "run",
    }));
  },
};

function change(
  starts: readonly string[],
  steps: readonly PlannedStep[],
  place: number,
  made: (step: PlannedStep) => PlannedStep,
): Shape {
  return { starts, steps: steps.map((step, index) => (index === place ? made(step) : step)) };
}

function addedStep(roll: Dice, steps: readonly PlannedStep[], target: string): PlannedStep {
  const kind = roll.one(["run", "run", "event", "timer"] as const);
  return {
    ...roll.one(steps),
    name: ADDED,
    kind,
    events: { [kind === "timer" ? "done" : "a"]: [target] },
    choices: [],
    onFailure: roll.one([undefined, "skip"]),
    atLeast: undefined,
    cancelRest: false,
    sees: [],
  };
}

function targetsOf({ events }: PlannedStep): string[] {
  return [...new Set(Object.values(events).flat())];
}

/** The same step, which leads to others in the place of one. */
function withTargets(step: PlannedStep, one: string, others: readonly string[]): PlannedStep {
  const events = Object.entries(step.events).map(([event, targets]) => {
    return [event, [...new Set(targets.flatMap((target) => (target === one ? others : [target])))]];
  });
  const onFailure = step.onFailure === one ? others[0] : step.onFailure;
  return { ...step, events: Object.fromEntries(events), onFailure };
}
