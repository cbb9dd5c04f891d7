import { randomWorkflow } from "../random-workflow.ts";
import { type Dice, dice, seeded } from "./chance.ts";
import { makeEdition } from "./make-edition.ts";
import {
  type Action,
  type Behaviour,
  FAULT_KINDS,
  FAULT_PORTS,
  type Fault,
  type FaultKind,
  type Operation,
  type Plan,
  type PlannedStep,
  type PlannedWorkflow,
  type Port,
  type Settings,
} from "./plan.ts";

const OPERATIONS_MIN = 50;
const OPERATIONS_MAX = 64;
const STEPS_MAX = 7;
const WORKERS_MAX = 3;

/** A plan of what happens in a simulation, made of a number and nothing else. */
export function makePlan(seed: number, given: { readonly workflows?: boolean } = {}): Plan {
  const roll = dice(seeded(seed));
  const settings = makeSettings(roll);
  const workflows = given.workflows
    ? []
    : Array.from({ length: roll.between(1, 2) }, (_, index) => makeWorkflow(roll, `flow${index}`));
  const operations = makeOperations(roll, settings);
  const faults = makeFaults(roll, settings);
  // Whatever is decided last leaves the rest of a plan as it was.
  const edition = workflows.length > 0 && roll.chance(0.15) ? makeEdition(roll, workflows, settings, seed) : undefined;
  return { seed, settings, workflows, ...(edition ? { edition } : {}), operations, faults };
}

function makeSettings(roll: Dice): Settings {
  const workers = roll.between(2, WORKERS_MAX);
  const skewed = roll.chance(0.4);
  return {
    workers,
    instances: roll.between(2, 4),
    leaseMs: roll.one([2_000, 4_000, 8_000]),
    sweepMs: roll.one([700, 1_500, 3_000]),
    concurrency: roll.one([1, 2, 256]),
    watch: roll.chance(0.7),
    locks: roll.chance(0.4),
    subscribes: roll.chance(0.3),
    skewsMs: Array.from({ length: workers }, () => (skewed ? roll.one([0, -200, 900, -3_000, 5_000, 20_000]) : 0)),
    slowCalls: roll.one([0, 0.1, 0.4]),
    slowCallMs: roll.one([5, 60, 400]),
    stepMs: roll.one([0, 300, 3_000]),
    turns: roll.one([4, 12, 30]),
    ...(roll.chance(0.08) ? { poison: `s${roll.below(3)}` } : {}),
    leaps: roll.chance(0.1),
    survivors: roll.chance(0.3) ? 1 : workers,
  };
}

function makeWorkflow(roll: Dice, name: string): PlannedWorkflow {
  const options = { steps: STEPS_MAX, cancelRest: roll.chance(0.5), failures: roll.chance(0.6) };
  const { starts, steps } = randomWorkflow(roll.below, options);
  const bad = roll.one([0, 0.1, 0.3]);
  const rare = (probability: number) => (roll.chance(0.3) ? probability : 0);
  const behaviour: Behaviour = {
    fails: bad,
    failsForGood: rare(0.08),
    pends: rare(0.2),
    hangs: rare(0.2),
    emitsUndeclared: rare(0.05),
    choosesBadly: rare(0.05),
    choosesByInput: true,
    compensationFails: roll.one([0, 0.2, 0.5]),
  };
  const planned = steps.map((step, index) => plannedStep(roll, step, steps.slice(0, index)));
  const retention = roll.chance(0.15) ? { retentionMs: roll.one([800, 5_000]) } : {};
  return { name, starts, steps: planned, behaviour, ...retention };
}

function plannedStep(
  roll: Dice,
  step: ReturnType<typeof randomWorkflow>["steps"][number],
  before: ReturnType<typeof randomWorkflow>["steps"],
): PlannedStep {
  const compensates = roll.chance(0.5);
  return {
    ...step,
    retry: {
      maxAttempts: roll.between(1, 4),
      backoff: roll.one(["exponential", "linear", "constant"]),
      initialMs: roll.one([20, 150, 500]),
      maxMs: roll.one([500, 2_000]),
    },
    ...(roll.chance(0.35) ? { timeoutMs: roll.one([100, 600, 3_000, 9_000]) } : {}),
    durationMs: roll.one([150, 800, 3_000, 9_000]),
    compensates,
    unknownToo: compensates && roll.chance(0.4),
    checkpoints: roll.chance(0.25),
    sees: before.filter(() => roll.chance(0.25)).map(({ name }) => name),
  };
}

const ACTIONS = {
  start: 10,
  restart: 4,
  event: 16,
  schedule: 4,
  pause: 4,
  unpause: 3,
  cancel: 3,
  retry: 4,
  delete: 2,
  adopt: 1,
  get: 2,
  history: 1,
  list: 1,
  result: 2,
  fitting: 32,
  again: 10,
} as const;

function makeOperations(roll: Dice, { workers, instances }: Settings): Operation[] {
  const count = roll.between(OPERATIONS_MIN, OPERATIONS_MAX);
  const hasty = roll.chance(0.3);
  return Array.from({ length: count }, (_, index) => ({
    id: `c${index}`,
    afterMs: pause(roll, hasty),
    worker: roll.below(workers),
    instance: index < instances ? index : roll.below(instances),
    action: index < instances ? { type: "start" } : makeAction(roll, index),
    insists: roll.chance(0.7),
  }));
}

function pause(roll: Dice, hasty: boolean): number {
  const kind = roll.below(hasty ? 14 : 10);
  if (kind >= 5 && kind < 9) return roll.between(50, 600);
  return kind === 9 ? roll.between(600, 4_000) : roll.between(0, 40);
}

function makeAction(roll: Dice, index: number): Action {
  const type = roll.weighted(ACTIONS);
  switch (type) {
    case "event":
      return { type, event: roll.below(100), ...(roll.chance(0.3) ? { step: roll.below(100) } : {}) };
    case "schedule":
      return { type, step: roll.below(100), event: roll.below(100), delayMs: roll.one([0, 100, 1_000, 6_000]) };
    case "fitting":
      return { type, pick: roll.below(1_000_000) };
    case "again":
      return { type, of: `c${roll.below(index)}` };
    default:
      return { type };
  }
}

/** How many touches of a port there are, roughly: later ones are rarely reached. */
const REACH: Readonly<Record<Port, number>> = {
  commit: 50,
  load: 40,
  payloads: 10,
  due: 12,
  query: 3,
  remove: 3,
  owner: 4,
  watch: 50,
  timer: 30,
  step: 24,
  client: 24,
};

function makeFaults(roll: Dice, settings: Settings): Fault[] {
  // A seed has some kinds of faults and not others: what one kind hides, another seed shows.
  const all = FAULT_KINDS.filter((kind) => (kind === "stolen-lock" ? settings.locks : true));
  const likely = roll.one([0.25, 0.5, 0.8]);
  const kinds = all.filter(() => roll.chance(likely));
  while (kinds.length < 3) kinds.push(roll.one(all));
  const count = roll.one([14, 22, 36]);
  const generations = kinds.some((kind) => kind.startsWith("crash") || kind === "close") ? 4 : 1;
  return Array.from({ length: count }, () => {
    const kind = roll.one(kinds);
    const port: Port = roll.one<Port>(FAULT_PORTS[kind]);
    const generation = Math.min(roll.below(generations), roll.below(generations));
    // The square draws them to the beginning, which every life has.
    const nth = Math.floor((roll.below(1_000) / 1_000) ** 2 * REACH[port]);
    return { worker: roll.below(settings.workers), generation, port, nth, kind, ms: lengthOf(roll, kind, settings) };
  });
}

function lengthOf(roll: Dice, kind: FaultKind, { leaseMs }: Settings): number {
  switch (kind) {
    case "crash-before":
    case "crash-after":
    case "close":
      return roll.one([0, 100, 1_500, leaseMs + 500]);
    case "stall-before":
    case "stall-after":
    case "slow-step":
      return roll.one([30, 400, leaseMs * 0.7, leaseMs * 1.3, leaseMs * 3]);
    case "freeze":
      return roll.one([200, leaseMs * 0.8, leaseMs * 1.3, leaseMs * 3]);
    case "full":
      return roll.one([300, 4_000, 12_000]);
    case "clock-jump":
      return roll.one([-60_000, -5_000, -400, 400, leaseMs * 2, 30_000]);
    default:
      return 0;
  }
}
