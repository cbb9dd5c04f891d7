import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { Timestamp } from "../../engine/state.ts";
import type { Storage } from "../../runtime/storage.ts";
import { mix, mixText, toUnit } from "./chance.ts";
import { type Coverage, emptyCoverage } from "./coverage.ts";
import { type Faults, makeFaults } from "./faults.ts";
import { type Journal, makeJournal } from "./journal.ts";
import { type Plan, PORT_NUMBERS, type Port } from "./plan.ts";
import { drain, type Life, makeScheduler, type Parked, placeOf, type Scheduler } from "./scheduler.ts";
import { Violation } from "./violation.ts";
import { makeWitness, type Witness } from "./witness.ts";

/** An instance that the client works with. */
export interface SimulatedInstance {
  readonly id: string;
  readonly key: string;
  readonly workflow: AnyWorkflow;
  /** All that there is of its code, the newest last. */
  readonly editions: readonly AnyWorkflow[];
}

/** All that the parts of one simulation share. */
export interface World {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly coverage: Coverage;
  readonly witness: Witness;
  readonly journal: Journal;
  /** As the workers see it: perhaps one that is broken on purpose. */
  readonly storage: Storage;
  readonly instances: readonly SimulatedInstance[];
  readonly trace: Trace;
  /** How far the clock of each worker is from the true time. */
  readonly offsets: number[];
  /** The latest time that the clock of each worker has shown. */
  readonly latest: number[];
  /** Who watches the storage. */
  readonly listeners: Map<Life, (id: string) => void>;
  /** Who holds the lock of each owner. */
  readonly owners: Map<string, Life>;
  /** The storage has no room until then. */
  fullUntil: number;
  /** Faults have stopped. */
  calm: boolean;
  /** The pick in which they stopped. */
  calmSince: number;
  /** A clock was wrong when faults stopped, and put right then. */
  movedClocks: boolean;
  /** The last call that a fault has made late is answered by then. */
  stalledUntil: Timestamp;
  /** Which life each owner of a lease is. */
  readonly runners: Map<string, Life>;
  violation: Violation | undefined;
  /** Takes down a life: what it has parked is gone, and so is what waits for it. */
  crash(life: Life, downMs: number): void;
  /** Called when nothing is left to do at this time. @throws Violation */
  beforeJump(): void;
  /** Closes a life in good order. */
  close(life: Life, downMs: number): void;
}

interface Trace {
  /** Of everything that happened, in order. */
  readonly hash: number;
  readonly lines: readonly string[];
  add(line: string): void;
  /** An item is picked: most of what happens, and entered as numbers. */
  pick(now: Timestamp, item: Parked): void;
}

/** How many lines of a trace are kept. */
const LINES_MAX = 40000;

function makeTrace(keeps: boolean): Trace {
  let hash = 0;
  const lines: string[] = [];
  const keep = (line: string) => {
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
  };
  return {
    get hash() {
      return hash;
    },
    lines,
    add(line) {
      hash = mixText(hash, line);
      if (keeps) keep(line);
    },
    pick(now, { life, port, nth }) {
      const place = life === undefined ? -1 : placeOf(life);
      hash = mix(mix(mix(hash, now), place * 128 + PORT_NUMBERS[port]), nth);
      if (keeps) keep(`${now} ${life === undefined ? "world" : `${life.worker}.${life.generation}`} ${port} ${nth}`);
    },
  };
}

export function makeWorld(
  plan: Plan,
  storage: Storage,
  instances: readonly SimulatedInstance[],
  keepsTrace: boolean,
): World {
  const coverage = emptyCoverage();
  const scheduler = makeScheduler(plan.seed);
  const witness = makeWitness(scheduler);
  const stealsLocks = plan.faults.some(({ kind }) => kind === "stolen-lock");
  const owners = new Map<string, Life>();
  const isDead = (owner: string) => plan.settings.locks && (stealsLocks || owners.get(owner)?.alive !== true);
  return {
    plan,
    scheduler,
    faults: makeFaults(plan.faults, coverage),
    coverage,
    witness,
    journal: makeJournal(instances, witness, coverage, isDead, plan.workflows.length > 0),
    storage,
    instances,
    trace: makeTrace(keepsTrace),
    offsets: [...plan.settings.skewsMs],
    latest: plan.settings.skewsMs.map(() => 0),
    listeners: new Map(),
    owners,
    fullUntil: 0,
    calm: false,
    calmSince: 0,
    stalledUntil: 0,
    runners: new Map(),
    movedClocks: false,
    violation: undefined,
    beforeJump: () => {},
    crash: () => {},
    close: () => {},
  };
}

/** Runs a check where a worker's own code would swallow what it throws. */
export function guard<T>(world: World, check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    fail(world, error);
    return undefined;
  }
}

/** The first violation ends the simulation. */
export function fail(world: World, error: unknown): void {
  if (error instanceof Violation) world.violation ??= error;
  else
    world.violation ??= new Violation(
      "crashed",
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
}

/** A number from 0 to below 1 that belongs to a place, whatever happened before. */
export function chanceAt(world: World, life: Life, port: Port, nth: number, salt: number): number {
  const place = placeOf(life);
  return toUnit(mix(mixText(mix(world.plan.seed, place * 131 + salt), port), nth));
}

/** How long a touch of a port takes. */
export function delayOf(world: World, life: Life, port: Port, nth: number): number {
  const { slowCalls, slowCallMs } = world.plan.settings;
  if (chanceAt(world, life, port, nth, 1) >= slowCalls) return 0;
  return Math.floor(chanceAt(world, life, port, nth, 2) * slowCallMs);
}

/** When nothing is ready, this many turns more tell whether something was about to be. */
const IDLE_TURNS = 16;

/**
 * Picks and runs one item, and lets go on what follows from it; when none is ready, time jumps to the next one.
 * @returns false when there is nothing left to pick before `until`
 */
export async function step(world: World, until: number): Promise<boolean> {
  const { scheduler, plan, trace } = world;
  // After a jump in time nothing goes on that did not before it.
  if (!scheduler.isStill) await drain(plan.settings.turns);
  let item = scheduler.next();
  if (item === undefined) {
    await drain(IDLE_TURNS);
    item = scheduler.next();
  }
  if (item === undefined) {
    world.beforeJump();
    const at = scheduler.nextAt();
    if (at === undefined || at > until) return false;
    scheduler.jump(at);
    return true;
  }
  trace.pick(scheduler.now, item);
  const running = item.run();
  if (running instanceof Promise) await running;
  return true;
}
