import { HephaestusError } from "../definition/errors.ts";
import { needName, type StepDefinition } from "../definition/step.ts";
import type { AbortedCommand, OutcomeCommand } from "../engine/commands.ts";
import type { RunState } from "../engine/run-state.ts";
import type { RunInfo, StepState } from "../engine/state.ts";
import { type Aborter, makeAborter } from "./aborter.ts";
import { type AttemptInput, type AttemptPorts, type AttemptReport, runAttempt, runCompensation } from "./attempt.ts";
import { pickTargets } from "./choice.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import type { Code } from "./registry.ts";
import { toStoredError } from "./stored-error.ts";

/** The attempts of one instance that are in this process's memory: an attempt that is not among them did not come back. */
export interface Attempts {
  readonly count: number;
  has(step: string): boolean;
  start(step: string): void;
  compensate(step: string): void;
  /** Asks an attempt to stop, since its run ends; one that was never begun is told to be over at once. */
  abort(step: string): void;
  /** Asks those to stop whose token is not the current one any more. */
  abortStale(): void;
  abortAll(reason: unknown): void;
  /** Stops all attempts without their ends; answers what to say of each, so that it is run again by somebody else. */
  giveBack(reason: unknown): AbortedCommand[];
  /** Says of steps that are to be run that they are not begun here, also of those that wait for their place. */
  refuse(steps: readonly string[]): void;
  /** How long the last attempt of a step ran, in milliseconds: said once, and only where there is telemetry. */
  readonly tookMs: (step: string) => number | undefined;
}

interface Attempt {
  readonly run: number;
  readonly attempt: number;
  readonly compensation: boolean;
  readonly aborter: Aborter;
  begun: boolean;
}

export function makeAttempts(host: DriverHost, driver: DrivenInstance): Attempts {
  const live = new Map<string, Attempt>();
  let took: Map<string, number> | undefined;

  async function timed<T>(step: string, attempt: number, run: () => Promise<T>): Promise<T> {
    const startedAt = host.clock.now();
    host.telemetry?.attemptStarted(driver.state, startedAt, { step, attempt, concurrency: live.size });
    const report = await run();
    took ??= new Map();
    took.set(step, host.clock.now() - startedAt);
    return report;
  }

  function isCurrent(step: string, { run, attempt, compensation }: Attempt): boolean {
    const state = driver.state.steps.get(step);
    if (driver.state.run !== run || state === undefined) return false;
    if (compensation) return state.compensation?.status === "active" && (state.compensation.attempt ?? 1) === attempt;
    return state.status === "active" && (state.attempt ?? 1) === attempt;
  }

  /** Nothing new is begun while a run is paused or ends; what the driver does next says so to the engine. */
  function mayBegin(step: string): boolean {
    const { ending, paused, steps } = driver.state;
    return ending === undefined && !paused && steps.get(step)?.wakeAt === undefined;
  }

  function begin(step: string, attempt: number, compensation: boolean, execute: (one: Attempt) => Promise<void>): void {
    if (live.has(step)) return;
    const one: Attempt = { run: driver.state.run, attempt, compensation, aborter: makeAborter(), begun: false };
    live.set(step, one);
    const place = host.slot();
    const executed = place instanceof Promise ? place.then((release) => occupy(release)) : occupy(place);
    async function occupy(release: () => void): Promise<void> {
      try {
        if (live.get(step) === one) await execute(one);
      } catch (error) {
        host.failed(driver, error);
      } finally {
        release();
        end(step, one);
      }
    }
    void executed;
  }

  /** An attempt that is not begun is over at once. */
  function tellAborted(step: string): void {
    const attempt = driver.state.steps.get(step)?.attempt ?? 1;
    driver
      .submit({ type: "aborted", run: driver.state.run, step, attempt, begun: false })
      .catch((error: unknown) => host.failed(driver, error));
  }

  function end(step: string, one: Attempt): void {
    if (live.get(step) === one) live.delete(step);
  }

  return {
    get count() {
      return live.size;
    },
    has: (step) => live.has(step),
    tookMs(step) {
      const ms = took?.get(step);
      took?.delete(step);
      return ms;
    },
    start(step) {
      const { code, state } = driver;
      const definition = code?.steps.get(step);
      if (code === undefined || definition === undefined) return;
      begin(step, state.steps.get(step)?.attempt ?? 1, false, async (one) => {
        const gathered = attemptInput(driver, definition);
        const input = gathered instanceof Promise ? await gathered : gathered;
        // What was awaited above took time in which the attempt may have become an old one, or one not to be begun.
        if (live.get(step) !== one || !isCurrent(step, one) || !mayBegin(step) || one.aborter.aborted) return;
        one.begun = true;
        const run = () => runAttempt(definition, input, portsOf(host, driver, step, one));
        const report = await (host.telemetry ? timed(step, one.attempt, run) : run());
        const chosen = report.type === "outcome" ? withChoice(code, driver, report) : report;
        const command = chosen instanceof Promise ? await chosen : chosen;
        // Its end is known before its record is: whoever looks meanwhile must not take it for running.
        const submitted = driver.submit(command);
        end(step, one);
        await submitted;
      });
    },
    compensate(step) {
      const { code, state } = driver;
      const definition = code?.steps.get(step);
      if (definition === undefined) return;
      begin(step, state.steps.get(step)?.compensation?.attempt ?? 1, true, async (one) => {
        const input = await attemptInput(driver, definition);
        const { results } = await driver.payloads.read(driver.state, [step]);
        if (live.get(step) !== one || !isCurrent(step, one)) return;
        one.begun = true;
        const attempted = { ...input, attempt: one.attempt };
        const command = await runCompensation(definition, attempted, results[step], portsOf(host, driver, step, one));
        const submitted = driver.submit(command);
        end(step, one);
        await submitted;
      });
    },
    abort(step) {
      const one = live.get(step);
      const reason = new HephaestusError("CANCELLED", `the run of ${driver.id} is ending`);
      if (one?.begun) {
        one.aborter.abort(reason);
        return;
      }
      if (one) live.delete(step);
      tellAborted(step);
    },
    abortStale() {
      for (const [step, one] of live) {
        if (isCurrent(step, one)) continue;
        live.delete(step);
        one.aborter.abort(
          new HephaestusError("CANCELLED", `attempt ${one.attempt} of ${step} is not the current one any more`),
        );
      }
    },
    abortAll(reason) {
      for (const { aborter } of live.values()) aborter.abort(reason);
      live.clear();
    },
    giveBack(reason) {
      const commands = [...live]
        .filter(([, { compensation }]) => !compensation)
        .map(([step, { run, attempt, begun }]) => ({ type: "aborted" as const, run, step, attempt, begun }));
      this.abortAll(reason);
      return commands;
    },
    refuse(steps) {
      for (const step of steps) {
        if (live.get(step)?.begun) continue;
        live.delete(step);
        tellAborted(step);
      }
    },
  };
}

/**
 * Has the choice that follows an outcome made at once, so that both stand in one commit. One that throws goes along: the
 * step has had its effect all the same.
 */
export function withChoice(
  code: Code,
  driver: Pick<DrivenInstance, "state" | "payloads">,
  outcome: OutcomeCommand,
): AttemptReport | Promise<AttemptReport> {
  const { step, event, result } = outcome;
  if (code.choiceOf(step, event) === undefined) return outcome;
  return pickTargets(code, driver, step, event, result).then(
    (targets) => ({ ...outcome, targets }),
    (thrown: unknown) => ({ ...outcome, choiceError: toStoredError(thrown) }),
  );
}

/** What an attempt of a step is given, read from the state and the stored payloads. */
export function attemptInput(
  { state, payloads }: Pick<DrivenInstance, "state" | "payloads">,
  definition: StepDefinition,
): MaybePromise<AttemptInput> {
  const { name, needs, maybeNeeds } = definition;
  const step = state.steps.get(name) as StepState;
  const wanted = [...needs.map(needName), ...maybeNeeds.map(needName).filter((one) => isVisible(state, one, step))];
  const { workflow, version, key } = state.info as RunInfo;
  return whenThere(payloads.read(state, wanted), ({ input, results }) =>
    whenThere(payloads.checkpoints(state, name), (checkpoints) => ({
      id: state.id,
      run: state.run,
      workflow,
      version,
      fingerprint: state.fingerprint,
      ...(key === undefined ? {} : { key }),
      step: name,
      attempt: step.attempt ?? 1,
      epoch: step.epoch ?? 0,
      ...(input === undefined ? {} : { input }),
      results,
      checkpoints,
    })),
  ) as MaybePromise<AttemptInput>;
}

/** An optional result is seen if it was there when the step was reached, so that every attempt sees the same. */
function isVisible(state: RunState, name: string, reader: StepState): boolean {
  const { result, takenAt = result } = state.steps.get(name) ?? {};
  return result !== undefined && takenAt !== undefined && takenAt <= (reader.since ?? state.revision);
}

function portsOf(
  host: DriverHost,
  driver: DrivenInstance,
  step: string,
  { run, attempt, aborter }: Attempt,
): AttemptPorts {
  return {
    clock: host.clock,
    random: host.random,
    connectors: host.connectors,
    aborter,
    async saveCheckpoint(name, value) {
      const command = { type: "checkpoint", run, step, attempt, name, value } as const;
      const answer = await driver.submit(command);
      if (answer === "ignored") {
        throw new HephaestusError("CANCELLED", `attempt ${attempt} of ${step} is not the current one any more`);
      }
    },
  };
}
