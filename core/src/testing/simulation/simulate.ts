import { instanceIdOf } from "../../definition/key.ts";
import type { Connectors } from "../../definition/step.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import { COMMAND_RETENTION_MS } from "../../engine/limits.ts";
import { memoryStorage } from "../../runtime/memory-storage.ts";
import type { Storage } from "../../runtime/storage.ts";
import { type Account, isOver, retentionEndOf } from "./account.ts";
import type { Canary } from "./canaries.ts";
import { mix, mixText } from "./chance.ts";
import { type Client, makeClient } from "./client.ts";
import { awaited, type Command, GIFTS, type Gifts } from "./commands.ts";
import type { Coverage } from "./coverage.ts";
import { isLeftBehind } from "./editions.ts";
import { toFlow } from "./flow.ts";
import { makePlan } from "./make-plan.ts";
import type { Plan } from "./plan.ts";
import { checkPunctual, ROOM_MS } from "./rules-calm.ts";
import { isUnheard } from "./rules-editions.ts";
import { wakeOf } from "./rules-joins.ts";
import { drain } from "./scheduler.ts";
import { hold, type Violation } from "./violation.ts";
import { makeWorkers, type Workers } from "./workers.ts";
import { fail, makeWorld, type SimulatedInstance, step, type World } from "./world.ts";

export interface SimulationOptions {
  /** Random ones of the plan unless given. Each needs `unique`, so that the client can name its instances. */
  readonly workflows?: readonly AnyWorkflow[];
  /** A new, empty storage; in memory unless given. */
  readonly storage?: () => Storage;
  /** What the steps of given workflows need, made anew for each life of a worker. */
  readonly connectors?: () => Partial<Connectors>;
  /** What the client gives with starts and events of given workflows. */
  readonly gifts?: Gifts;
  /** Something that is broken on purpose. */
  readonly canary?: Canary;
  /** Keeps the end of the trace as text. */
  readonly keepsTrace?: boolean;
}

export interface SimulationResult {
  readonly plan: Plan;
  /** Undefined when every invariant held. */
  readonly violation: Violation | undefined;
  readonly coverage: Coverage;
  /** The same plan has the same hash, every time. */
  readonly hash: number;
  readonly trace: readonly string[];
  /** What the client did: operations of the plan, their repetitions left out. */
  readonly operations: number;
  readonly faults: number;
  readonly workers: number;
  readonly picks: number;
}

/** Faults that strike in every simulation at least: workers are crashed until so many have. */
const FAULTS_MIN = 5;
/** How long the world goes on after the last operation before faults stop, in virtual milliseconds. */
const TAIL_MS = 4_000;
/** What may happen while there are faults. */
const FAULTY_PICKS_MAX = 30_000;
/** What it may take to come to rest once faults have stopped. */
const REST_PICKS_MAX = 60_000;
const REST_MS_MAX = 20 * 60_000;
/** How often the client brings on what rests, until all has ended. */
const ROUNDS_MAX = 60;

/**
 * Runs a plan, or what follows from a seed: several workers on one storage, a client, and faults; then the faults stop
 * and everything must come to its end. Deterministic: nothing but the plan decides what happens.
 * @example
 * const { violation } = await simulate(42, { workflows: [orderFlow] });
 */
export async function simulate(what: number | Plan, options: SimulationOptions = {}): Promise<SimulationResult> {
  const plan = typeof what === "number" ? makePlan(what, { workflows: options.workflows !== undefined }) : what;
  const { canary } = options;
  const workflows = options.workflows?.map((workflow) => [workflow]) ?? editionsOf(plan);
  const instances = Array.from({ length: plan.settings.instances }, (_, index): SimulatedInstance => {
    const editions = workflows[index % workflows.length] as [AnyWorkflow];
    const [workflow] = editions;
    const key = `k${index}`;
    return { id: instanceIdOf(workflow.definition, key), key, workflow, editions };
  });
  const storage = (options.storage ?? memoryStorage)();
  const world = makeWorld(plan, canary?.storage?.(storage) ?? storage, instances, options.keepsTrace ?? false);
  const workers = makeWorkers(world, {
    workflows: workflows.map((editions) => editions.map((workflow) => canary?.workflow?.(workflow) ?? workflow)),
    ...(options.connectors ? { connectors: options.connectors } : {}),
    ...(canary?.clock ? { breakClock: canary.clock } : {}),
    ...(canary?.port ? { breakPort: canary.port } : {}),
  });
  const client = makeClient(world, workers, options.gifts ?? GIFTS);
  try {
    await live(world, workers, client, storage);
  } catch (error) {
    fail(world, error);
  }
  await storage.close?.();
  return {
    plan,
    violation: world.violation,
    coverage: world.coverage,
    hash: world.trace.hash,
    trace: world.trace.lines,
    operations: plan.operations.length,
    faults: world.faults.struck,
    workers: plan.settings.workers,
    picks: world.scheduler.tick,
  };
}

/** Of each workflow of a plan all editions, the newest last. */
function editionsOf({ workflows, edition, seed }: Plan): AnyWorkflow[][] {
  return workflows.map((one, index) =>
    (edition?.of === index ? [one, edition.workflow] : [one]).map((each) => toFlow(each, seed)),
  );
}

async function live(world: World, workers: Workers, client: Client, storage: Storage): Promise<void> {
  const { settings } = world.plan;
  for (let worker = 0; worker < settings.workers; worker++) workers.start(worker);
  await underFaults(world, workers, client);
  if (world.violation) return;
  calmDown(world, workers);
  await comeToRest(world, client);
  await comeHome(world, client);
  if (!world.violation) await encore(world, client);
  if (settings.leaps && !world.violation) await leap(world, client);
  if (world.violation) return;
  await drain(64);
  // What a canary makes of it is for the other rules to find.
  await world.journal.audit(storage);
  client.audit();
}

/** The first phase: the client does what the plan says, and things go wrong. */
async function underFaults(world: World, workers: Workers, client: Client): Promise<void> {
  const { scheduler, plan, faults } = world;
  let done = 0;
  const parkNext = () => {
    const operation = plan.operations[done];
    if (operation === undefined) return;
    const nth = done++;
    const run = () => {
      client.operate(operation);
      parkNext();
    };
    const readyAt = scheduler.now + operation.afterMs;
    scheduler.park({ life: undefined, port: "client", nth, outside: true, readyAt, run });
  };
  parkNext();
  let last = 0;
  while (!world.violation) {
    hold(scheduler.tick < FAULTY_PICKS_MAX, "progress", () => `the workers are busy without end at ${scheduler.now}`);
    if (done < plan.operations.length) last = scheduler.now;
    else if (scheduler.now >= last + TAIL_MS) break;
    if (!(await step(world, scheduler.now + TAIL_MS))) break;
  }
  for (let worker = 0; faults.struck < FAULTS_MIN && !world.violation && worker < 100; worker++) {
    const place = worker % plan.settings.workers;
    workers.start(place);
    const running = workers.get(place);
    if (running) {
      faults.improvise("crash-before");
      world.crash(running.life, 0);
    }
    for (let turn = 0; turn < 20; turn++) await step(world, scheduler.now + 1_000);
  }
}

/** Faults stop: what stood still goes on, clocks are right, and the survivors among the workers live. */
function calmDown(world: World, workers: Workers): void {
  const { plan, faults, offsets, scheduler } = world;
  const { survivors } = plan.settings;
  world.trace.add("faults stop");
  world.calm = true;
  world.beforeJump = () => checkPunctual(world);
  world.calmSince = scheduler.tick;
  // Until then a timer that was set by another time of the clock may hold back an earlier one.
  world.stalledUntil = Math.max(world.stalledUntil, scheduler.now + plan.settings.sweepMs);
  // What was decided before waits until the storage is asked again.
  if (scheduler.now < world.fullUntil + ROOM_MS) {
    world.stalledUntil = Math.max(world.stalledUntil, scheduler.now + ROOM_MS);
  }
  faults.stop();
  world.fullUntil = 0;
  world.movedClocks = offsets.some((offset) => offset !== 0);
  offsets.fill(0);
  for (const { life } of workers.living) {
    life.frozenUntil = 0;
    // All that goes on has the newer edition of the code.
    if (life.worker >= survivors || (plan.edition && !life.newer)) world.crash(life, 0);
  }
  for (let worker = 0; worker < survivors; worker++) workers.start(worker);
}

/** Nothing is left to do but what a client may bring. */
function rests({ journal, instances }: World, client: Client): boolean {
  if (client.waiting > 0) return false;
  // Who waits for an end may be told of it a while after.
  if (client.waitingForEnds.some(({ id }) => isOver(journal.account(id).status))) return false;
  return instances.every(({ id }) => isAtRest(journal.account(id)));
}

/** Nothing can be done, or by nobody: what began under the older edition is parked then. */
function isAtRest(account: Account): boolean {
  if (isLeftBehind(account)) return true;
  return wakeOf(account) === undefined && retentionEndOf(account) === undefined && !isUnheard(account);
}

async function comeToRest(world: World, client: Client): Promise<void> {
  const { scheduler } = world;
  const until = scheduler.now + REST_MS_MAX;
  for (let picks = 0; !world.violation && !rests(world, client); picks++) {
    const goesOn = picks < REST_PICKS_MAX && (await step(world, until));
    hold(goesOn, "progress", () => `${describeUnrest(world, client)} after ${picks} picks without faults`);
  }
}

function describeUnrest({ journal, instances, scheduler }: World, client: Client): string {
  const restless = instances.map(({ id }) => journal.account(id)).filter((account) => !isAtRest(account));
  const lines = restless.map((account) => {
    const steps = [...account.steps].map(
      ([name, { status, wakeAt }]) => `${name} ${status}${wakeAt ? ` until ${wakeAt}` : ""}`,
    );
    return `${account.id}#${account.run} is ${account.status} at revision ${account.revision} (${steps.join(", ")})`;
  });
  if (client.waiting > 0) lines.push(`${client.waiting} calls wait`);
  const ends = client.waitingForEnds.map(({ id }) => journal.account(id)).filter(({ status }) => isOver(status));
  for (const { id, status } of ends) lines.push(`result() of ${id} waits, and it is ${status}`);
  return `at ${scheduler.now} ${lines.join("; ")}`;
}

/** The client brings on whatever waits for it, until every run has ended. */
async function comeHome(world: World, client: Client): Promise<void> {
  const { journal, instances } = world;
  for (let round = 0; !world.violation; round++) {
    const open = instances.filter(({ id }) => !isOver(journal.account(id).status));
    if (open.length === 0) return;
    hold(round < ROUNDS_MAX, "progress", () => {
      const statuses = open.map(({ id }) => `${id} is ${journal.account(id).status}`);
      return `${statuses.join(", ")} after ${ROUNDS_MAX} rounds of events`;
    });
    for (const instance of open) {
      const account = journal.account(instance.id);
      const id = `home${account.run}.${round}.${instance.key}`;
      const command = broughtHome(account, id, round);
      if (command) client.insist(instance, command);
    }
    await comeToRest(world, client);
  }
}

/** What brings a run on that rests: what it waits for, or the code that is here. */
function broughtHome(account: Account, id: string, round: number): Command | undefined {
  // What cannot be adopted is given up.
  if (isLeftBehind(account))
    return { id, type: LAST_WORDS[(round + mixText(5, account.id)) % LAST_WORDS.length] ?? "adopt" };
  return account.paused ? { id, type: "unpause" } : awaited(account, id, round);
}

/** What is said to a parked run, one after the other: it may be paused, and cancelled already. */
const LAST_WORDS = ["cancel", "adopt", "adopt", "delete"] as const;

/** How many picks after its start a run is cancelled that is begun once more, at most. */
const ENCORE_PICKS_MAX = 40;

/** What was begun under faults is in few states when they stop: two more runs, one of them cancelled, where all is well. */
async function encore(world: World, client: Client): Promise<void> {
  const { scheduler, plan } = world;
  for (const [index, instance] of world.instances.slice(0, 2).entries()) {
    if (world.violation) return;
    client.insist(instance, { id: `encore.${instance.key}`, type: typeToBegin(world, instance) });
    if (index === 1) {
      const picks = mix(plan.seed, index) % ENCORE_PICKS_MAX;
      for (let pick = 0; pick < picks && !world.violation; pick++) await step(world, scheduler.now + TAIL_MS);
      client.insist(instance, { id: `encore.cancel.${instance.key}`, type: "cancel" });
    }
    await comeToRest(world, client);
    await comeHome(world, client);
  }
}

function typeToBegin({ journal }: World, { id }: SimulatedInstance): "start" | "restart" {
  return journal.account(id).status === "deleted" ? "start" : "restart";
}

/** So much time passes that tombstones are removed and ids of commands forgotten; then all begins once more. */
async function leap(world: World, client: Client): Promise<void> {
  const { scheduler, journal, instances } = world;
  for (const instance of instances.slice(0, 2)) {
    if (journal.account(instance.id).status === "deleted") continue;
    client.insist(instance, { id: `leap.${instance.key}`, type: "delete" });
  }
  await comeToRest(world, client);
  // What a dead worker has sent arrives in its time: it must not be under way for as long as ids are remembered.
  const arrivedBy = Math.max(world.stalledUntil, scheduler.now + world.plan.settings.slowCallMs);
  while (!world.violation && (await step(world, arrivedBy)));
  // A tombstone of which no worker has the code stays: nobody is told of its row.
  const isDoomed = ({ status, workflow, editions }: Account) => status === "deleted" && workflow === editions.at(-1);
  const doomed = instances.filter(({ id }) => isDoomed(journal.account(id)));
  scheduler.now += COMMAND_RETENTION_MS + 60_000;
  const gone = () => doomed.every(({ id }) => journal.account(id).revision === 0);
  const until = scheduler.now + REST_MS_MAX;
  for (let picks = 0; !world.violation && !gone(); picks++) {
    const goesOn = picks < REST_PICKS_MAX && (await step(world, until));
    hold(goesOn, "progress", () => "a tombstone is not removed after its time");
  }
  for (const instance of instances) {
    if (world.violation) return;
    client.insist(instance, { id: `anew.${instance.key}`, type: typeToBegin(world, instance) });
  }
  await comeToRest(world, client);
  await comeHome(world, client);
}
