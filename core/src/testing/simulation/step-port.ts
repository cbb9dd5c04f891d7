import { encodePayload } from "../../definition/json.ts";
import { isOutcome, isPending, type StepContext } from "../../definition/step.ts";
import type { AnyWorkflow } from "../../definition/workflow.ts";
import { withCode } from "../with-code.ts";
import type { Life } from "./scheduler.ts";
import { never } from "./storage-port.ts";
import type { Token, Told } from "./witness.ts";
import { chanceAt, delayOf, guard, type World } from "./world.ts";

type Context = StepContext<unknown, [], []> & { readonly results: Readonly<Record<string, unknown>> };
type Code = (context: Context) => unknown;

/** A workflow whose steps' code is watched, and parked before and after it runs: the same graph, other code. */
export function watchedWorkflow(world: World, life: Life, workflow: AnyWorkflow): AnyWorkflow {
  return withCode(workflow, ({ name, definition: { run, compensate } }) => ({
    ...(run ? { run: watchedCode(world, life, name, run as unknown as Code, false) as never } : {}),
    ...(compensate ? { compensate: watchedCode(world, life, name, compensate as unknown as Code, true) as never } : {}),
  }));
}

/** The code of one attempt in so many is not parked: it may answer in the turn in which it is called. */
const IMMEDIATE_EVERY = 4;

/** How long a process is down that such a step has killed. */
const POISON_DOWN_MS = 50;

function watchedCode(world: World, life: Life, step: string, code: Code, compensation: boolean): Code {
  const { scheduler, faults, witness, journal } = world;

  /** Stands still until the loop picks it; a crash there is the last of it. */
  function pause(place: "before" | "after", nth: number): Promise<void> {
    if (!life.alive) return never();
    const fault = faults.strike(life, "step", nth);
    return new Promise((resolve, reject) => {
      const slow = fault?.kind === "slow-step" ? fault.ms : 0;
      const readyAt = scheduler.now + delayOf(world, life, "step", nth) + workOf(nth) + slow;
      const run = () => {
        switch (fault?.kind) {
          case "crash-before":
          case "crash-after":
            return world.crash(life, fault.ms);
          case "step-error":
            if (place === "before") return reject(new Error("the step was made to fail"));
            break;
          case "freeze":
            life.frozenUntil = scheduler.now + fault.ms;
            break;
          case "clock-jump":
            world.offsets[life.worker] = (world.offsets[life.worker] ?? 0) + fault.ms;
            break;
        }
        resolve();
      };
      scheduler.park({ life, port: "step", nth, outside: false, readyAt, run });
    });
  }

  /** Half of what the code of steps does takes time. */
  function workOf(nth: number): number {
    const { stepMs = 0 } = world.plan.settings;
    return Math.floor(Math.max(0, 2 * chanceAt(world, life, "step", nth, 3) - 1) * stepMs);
  }

  return (context) => {
    if (!life.alive) return never();
    const token: Token = { step, attempt: context.attempt, compensation };
    const { id } = context.instance;
    const now = scheduler.now + (world.offsets[life.worker] ?? 0);
    const name = guard(world, () => witness.began(life, journal.account(id), token, context, now)) ?? "";
    world.trace.add(`  ${name} begins`);
    const own = Object.create(context, { checkpoint: { value: watchedCheckpoint(context, name, id) } }) as Context;
    const tell = (told: Told) => {
      if (life.alive) witness.ended(name, told);
    };
    const before = faults.touch(life, "step");
    if (isPoison(token)) {
      faults.improvise("crash-before");
      world.crash(life, POISON_DOWN_MS);
      return never();
    }
    if (before % IMMEDIATE_EVERY === 3) return finish(() => code(own), tell);
    const after = faults.touch(life, "step");
    return (async () => {
      try {
        await pause("before", before);
        const value = await code(own);
        await pause("after", after);
        tell(toldOf(value, compensation));
        return value;
      } catch (error) {
        tell({ type: "error" });
        throw error;
      }
    })();
  };

  /** One step of a plan takes its process down whenever it begins. */
  function isPoison(token: Token): boolean {
    const { poison } = world.plan.settings;
    return !world.calm && !token.compensation && poison === token.step;
  }

  function finish(run: () => unknown, tell: (told: Told) => void): unknown {
    const ended = (value: unknown) => {
      tell(toldOf(value, compensation));
      return life.alive ? value : never();
    };
    const failed = (error: unknown) => {
      tell({ type: "error" });
      throw error;
    };
    try {
      const value = run();
      return value instanceof Promise ? value.then(ended, failed) : ended(value);
    } catch (error) {
      return failed(error);
    }
  }

  function watchedCheckpoint({ checkpoint, idempotencyKey, attempt }: Context, name: string, id: string) {
    const place = `${journal.account(id).removals} ${idempotencyKey}`;
    return async (what: string, effect: () => unknown) => {
      const value = await checkpoint(what, () => {
        guard(world, () => witness.effect(name, attempt, place, what));
        return effect();
      });
      if (life.alive) witness.stored(attempt, place, what);
      return value;
    };
  }
}

function toldOf(value: unknown, compensation: boolean): Told {
  if (compensation) return { type: "compensated" };
  if (isPending(value)) return { type: "pending" };
  const { event, result } = isOutcome(value) ? value : { event: "done", result: value };
  try {
    return { type: "outcome", event, result: encodePayload(result, "result") };
  } catch {
    return { type: "error" };
  }
}
