import { HephaestusError } from "../../definition/errors.ts";
import type { Connectors } from "../../definition/step.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createHephaestus, type Hephaestus } from "../../runtime/hephaestus.ts";
import type { Storage } from "../../runtime/storage.ts";
import { mix, seeded } from "./chance.ts";
import { clockPort } from "./clock-port.ts";
import { CLOSE_GRACE_MS, checkHandedBack } from "./rules-calm.ts";
import { type Life, placeOf } from "./scheduler.ts";
import { watchedWorkflow } from "./step-port.ts";
import { storagePort } from "./storage-port.ts";
import { chanceAt, fail, guard, type World } from "./world.ts";

/** A worker that lives. */
export interface Running {
  readonly life: Life;
  readonly engine: Hephaestus;
}

export interface Workers {
  /** The worker, or the next one that lives; undefined when none does. */
  get(worker: number): Running | undefined;
  readonly living: readonly Running[];
  /** Starts a worker that does not live. */
  start(worker: number): void;
  /** Told of a life that is over. */
  onDeath(listener: (life: Life) => void): void;
}

export interface WorkerOptions {
  /** Of each the editions, the newest last. */
  readonly workflows: readonly (readonly AnyWorkflow[])[];
  readonly connectors?: () => Partial<Connectors>;
  /** A clock that is broken on purpose. */
  readonly breakClock?: (clock: Clock) => Clock;
  /** The storage of one life, broken on purpose. */
  readonly breakPort?: (port: Storage, own: readonly AnyWorkflow[]) => Storage;
}

/** How long a worker may take to close in good order before it is taken down, in virtual milliseconds. */
const CLOSE_MS_MAX = 20_000;

/** The workers of a world: each lives, dies and is started again on the same storage. */
export function makeWorkers(world: World, options: WorkerOptions): Workers {
  const { scheduler, faults, plan } = world;
  const { workers, survivors, leaseMs, sweepMs, concurrency } = plan.settings;
  const running = new Map<number, Running>();
  const generations = Array.from({ length: workers }, () => 0);
  const mourners: ((life: Life) => void)[] = [];
  let worldItems = 0;

  function start(worker: number): void {
    if (running.has(worker) || (world.calm && worker >= survivors)) return;
    const generation = generations[worker] ?? 0;
    generations[worker] = generation + 1;
    const newer = world.calm || (plan.edition?.newer[worker]?.[generation] ?? true);
    const life: Life = { worker, generation, newer, alive: true, closing: false, frozenUntil: 0, touched: new Map() };
    const edition = plan.edition ? ` with the ${newer ? "newer" : "older"} code` : "";
    world.trace.add(`worker ${worker} begins life ${generation}${edition}`);
    const clock = clockPort(world, life);
    const port = storagePort(world, life);
    const own = options.workflows.map((editions) => editions.at(newer ? -1 : 0) as AnyWorkflow);
    const engine = createHephaestus({
      workflows: own.map((workflow) => watchedWorkflow(world, life, workflow)),
      storage: options.breakPort?.(port, own) ?? port,
      clock: options.breakClock?.(clock) ?? clock,
      random: seeded(mix(plan.seed, placeOf({ worker, generation }) + 1)),
      connectors: options.connectors?.() ?? {},
      local: {
        leaseMs,
        // As plans were made, they may ask for more than a runner takes.
        sweepMs: Math.min(sweepMs, leaseMs / 2),
        concurrency,
        closeGraceMs: CLOSE_GRACE_MS,
        onError(error) {
          if (life.alive && !(error instanceof HephaestusError)) fail(world, error);
        },
      },
    });
    running.set(worker, { life, engine });
  }

  function end(life: Life, downMs: number): void {
    if (!life.alive) return;
    life.alive = false;
    world.trace.add(`worker ${life.worker} ends life ${life.generation}`);
    world.listeners.delete(life);
    // A commit that is under way may arrive although whoever sent it is gone.
    scheduler.drop(life, ({ port, nth, outside }) => {
      return port === "commit" && nth < 32_768 && outside && chanceAt(world, life, port, nth, 4) < 0.5;
    });
    running.delete(life.worker);
    for (const mourner of mourners) mourner(life);
    scheduler.park({
      life: undefined,
      port: "world",
      nth: worldItems++,
      outside: true,
      readyAt: scheduler.now + downMs,
      run: () => start(life.worker),
    });
  }

  world.crash = end;
  world.close = (life, downMs) => {
    const own = running.get(life.worker);
    if (own?.life !== life) return;
    life.closing = true;
    const { struck } = faults;
    own.engine.close().then(
      () => {
        if (life.alive && faults.struck === struck) guard(world, () => checkHandedBack(world, life));
        end(life, downMs);
      },
      (error: unknown) => fail(world, error),
    );
    scheduler.park({
      life,
      port: "timer",
      nth: faults.touch(life, "timer"),
      outside: true,
      readyAt: scheduler.now + CLOSE_MS_MAX,
      run: () => end(life, downMs),
    });
  };

  return {
    get(worker) {
      for (let tried = 0; tried < workers; tried++) {
        const found = running.get((worker + tried) % workers);
        if (found) return found;
      }
      return undefined;
    },
    get living() {
      return [...running.values()];
    },
    start,
    onDeath(listener) {
      mourners.push(listener);
    },
  };
}
