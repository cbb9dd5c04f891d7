import { HephaestusError } from "../definition/errors.ts";
import type { JsonText } from "../definition/json.ts";
import { type Connectors, needName, type StepDefinition } from "../definition/step.ts";
import type { Writable } from "../definition/writable.ts";
import type { AbortedCommand, Command, OutcomeCommand } from "../engine/commands.ts";
import type { RunState } from "../engine/run-state.ts";
import type { RunInfo, StepState } from "../engine/state.ts";
import { Aborter } from "./aborter.ts";
import { type AttemptReport, runAttempt, runCompensation } from "./attempt.ts";
import type { AttemptInput, AttemptPorts } from "./attempt-context.ts";
import { pickTargets } from "./choice.ts";
import type { Clock, Random } from "./clock.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import type { Code } from "./registry.ts";
import { toStoredError } from "./stored-error.ts";

/** One attempt, and what it needs of the place where it runs. */
class Attempt implements AttemptPorts {
  readonly step: string;
  /** What it was begun for: where its driver has another one, the instance was forgotten and perhaps made anew. */
  readonly state: RunState;
  /** Where its driver has other code, the run was adopted. */
  readonly code: Code | undefined;
  readonly run: number;
  readonly attempt: number;
  readonly compensation: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectors: Connectors;
  readonly aborter = new Aborter();
  begun = false;
  /** The driver was told how it ended, and looks at what follows when that is committed. */
  told = false;
  readonly #driver: AttemptsDriver;

  constructor(host: DriverHost, driver: AttemptsDriver, step: string, attempt: number, compensation: boolean) {
    this.#driver = driver;
    this.step = step;
    this.state = driver.state;
    this.code = driver.code;
    this.run = driver.state.run;
    this.attempt = attempt;
    this.compensation = compensation;
    this.clock = host.clock;
    this.random = host.random;
    this.connectors = host.connectors;
  }

  async saveCheckpoint(name: string, value: JsonText): Promise<void> {
    const { run, step, attempt } = this;
    const isSame = this.#driver.state === this.state;
    const answer = isSame && (await this.#driver.submit({ type: "checkpoint", run, step, attempt, name, value }));
    if (!isSame || answer === "ignored") throw staleError(step, attempt);
  }
}

/** What attempts need of their driver. */
interface AttemptsDriver extends DrivenInstance {
  /** Has a command committed that nobody waits for. */
  tell(command: Command): void;
  /** Does what the state says must be done. */
  work(): void;
}

/** The attempts of one instance that are in this process's memory: an attempt that is not among them did not come back. */
export class Attempts {
  readonly #host: DriverHost;
  readonly #driver: AttemptsDriver;
  readonly #live = new Map<string, Attempt>();
  /** Nothing more is begun here. */
  draining = false;
  /** What ran here was given up: it may still run, and nothing begins under its tokens, not a compensation either. */
  #givenBack = false;
  #took: Map<string, number> | undefined;

  constructor(host: DriverHost, driver: AttemptsDriver) {
    this.#host = host;
    this.#driver = driver;
  }

  get count(): number {
    return this.#live.size;
  }

  has(step: string): boolean {
    return this.#live.has(step);
  }

  /** How long the last attempt of a step ran, in milliseconds: said once, and only where there is telemetry. */
  tookMs(step: string): number | undefined {
    const ms = this.#took?.get(step);
    this.#took?.delete(step);
    return ms;
  }

  start(step: string): void {
    const { code, state } = this.#driver;
    const definition = code?.steps.get(step);
    if (code === undefined || definition === undefined) return;
    this.#begin(step, state.steps.get(step)?.attempt ?? 1, false, (one) => this.#attempt(one, code, definition));
  }

  compensate(step: string): void {
    const { code, state } = this.#driver;
    const definition = code?.steps.get(step);
    if (definition === undefined || this.#givenBack) return;
    this.#begin(step, state.steps.get(step)?.compensation?.attempt ?? 1, true, (one) => this.#undo(one, definition));
  }

  /** Asks an attempt to stop, since its run ends; one that was never begun is told to be over at once. */
  abort(step: string): void {
    const one = this.#live.get(step);
    if (one?.begun) {
      one.aborter.abort(new HephaestusError("CANCELLED", `the run of ${this.#driver.id} is ending`));
      return;
    }
    this.#tellAborted(step);
  }

  /** Asks those to stop whose token is not the current one any more. */
  abortStale(): void {
    for (const [step, one] of this.#live) {
      if (this.#isCurrent(step, one)) continue;
      this.#live.delete(step);
      one.aborter.abort(staleError(step, one.attempt));
    }
  }

  abortAll(reason: unknown): void {
    for (const { aborter } of this.#live.values()) aborter.abort(reason);
    this.#live.clear();
  }

  /** Stops all attempts without their ends; answers what to say of each, so that it is run again by somebody else. */
  giveBack(reason: unknown): AbortedCommand[] {
    const commands = [...this.#live]
      .filter(([, { compensation }]) => !compensation)
      .map(([step, { run, attempt, begun }]) => ({ type: "aborted" as const, run, step, attempt, begun }));
    this.#givenBack = true;
    this.abortAll(reason);
    return commands;
  }

  /** Says of steps that are to be run that they are not begun here, also of those that wait for their place. */
  refuse(steps: readonly string[]): void {
    for (const step of steps) if (!this.#live.get(step)?.begun) this.#tellAborted(step);
  }

  #begin(step: string, attempt: number, compensation: boolean, execute: (one: Attempt) => Promise<void>): void {
    if (this.#live.has(step)) return;
    const one = new Attempt(this.#host, this.#driver, step, attempt, compensation);
    this.#live.set(step, one);
    const place = this.#host.slot();
    if (place instanceof Promise) void place.then((release) => this.#occupy(step, one, release, execute));
    else this.#occupy(step, one, place, execute);
  }

  #occupy(step: string, one: Attempt, release: () => void, execute: (one: Attempt) => Promise<void>): void {
    const over = (): void => {
      release();
      this.#end(step, one);
    };
    const failed = (error: unknown): void => {
      this.#host.failed(this.#driver, error);
      over();
    };
    const ended = (): void => {
      over();
      // As one that was not begun, since what it read meanwhile says otherwise.
      if (!one.told) this.#driver.work();
    };
    // While it waited for its place, its run may have ended, or be gone.
    if (this.#isCurrent(step, one)) void execute(one).then(ended, failed);
    else ended();
  }

  async #attempt(one: Attempt, code: Code, definition: StepDefinition): Promise<void> {
    const { name } = definition;
    const gathered = attemptInput(this.#driver, definition);
    const input = gathered instanceof Promise ? await gathered : gathered;
    // What was awaited above took time in which the attempt may have become an old one, or one not to be begun.
    if (!this.#isCurrent(name, one) || !this.#mayBegin(name) || one.aborter.aborted) return;
    if (!this.#keepsLease(name, one)) return;
    one.begun = true;
    const running = this.#host.telemetry ? this.#timed(definition, input, one) : runAttempt(definition, input, one);
    const report = running instanceof Promise ? await running : running;
    const chosen = report.type === "outcome" ? withChoice(code, this.#driver, report) : report;
    const command = chosen instanceof Promise ? await chosen : chosen;
    // Its end is known before its record is: whoever looks meanwhile must not take it for running.
    this.#end(name, one);
    this.#tell(one, command);
  }

  async #timed(definition: StepDefinition, input: AttemptInput, one: Attempt): Promise<AttemptReport> {
    const { clock, telemetry } = this.#host;
    const { name: step } = definition;
    const startedAt = clock.now();
    const told = { step, attempt: one.attempt, concurrency: this.#live.size };
    telemetry?.attemptStarted(this.#driver.state, startedAt, told);
    const report = await runAttempt(definition, input, one);
    this.#took ??= new Map();
    this.#took.set(step, clock.now() - startedAt);
    return report;
  }

  async #undo(one: Attempt, definition: StepDefinition): Promise<void> {
    const { name } = definition;
    const { payloads, state } = this.#driver;
    const input = await attemptInput(this.#driver, definition);
    const { results } = await payloads.read(state, [name]);
    if (!this.#isCurrent(name, one) || !this.#keepsLease(name, one)) return;
    one.begun = true;
    const attempted = { ...input, attempt: one.attempt };
    const command = await runCompensation(definition, attempted, results[name], one);
    this.#end(name, one);
    this.#tell(one, command);
  }

  /** But where the instance was forgotten meanwhile. */
  #tell(one: Attempt, command: Command): void {
    one.told = one.state === this.#driver.state;
    if (one.told) this.#driver.tell(command);
  }

  #isCurrent(step: string, one: Attempt): boolean {
    const { run, attempt, compensation } = one;
    const { state, code } = this.#driver;
    const current = state.steps.get(step);
    if (code !== one.code) return false;
    if (this.#live.get(step) !== one || state !== one.state || state.run !== run || current === undefined) return false;
    if (!compensation) return current.status === "active" && (current.attempt ?? 1) === attempt;
    return current.compensation?.status === "active" && (current.compensation.attempt ?? 1) === attempt;
  }

  /** Nothing new is begun while a run is paused or ends, or the runner closes; what the driver does next says so to the engine. */
  #mayBegin(step: string): boolean {
    const { ending, paused, steps } = this.#driver.state;
    return !this.draining && ending === undefined && !paused && steps.get(step)?.wakeAt === undefined;
  }

  /**
   * Whether the lease still holds. When it has run out, by an answer that took long or while this process slept, another
   * may have gone on: the commit that renews it tells, and what follows that begins the attempt.
   */
  #keepsLease(step: string, one: Attempt): boolean {
    const { runner, clock } = this.#host;
    const { owner } = this.#driver.state;
    if (runner === undefined || owner === undefined || owner.until > clock.now()) return true;
    this.#end(step, one);
    this.#driver.tell({ type: "wake" });
    return false;
  }

  /** An attempt that is not begun is over at once. */
  #tellAborted(step: string): void {
    this.#live.delete(step);
    this.#driver.tell(this.notBegun(step));
  }

  /** What to say of a step that is to be run, and is not begun here. */
  notBegun(step: string): AbortedCommand {
    const { run, steps } = this.#driver.state;
    return { type: "aborted", run, step, attempt: steps.get(step)?.attempt ?? 1, begun: false };
  }

  #end(step: string, one: Attempt): void {
    if (this.#live.get(step) === one) this.#live.delete(step);
  }
}

function staleError(step: string, attempt: number): HephaestusError {
  return new HephaestusError("CANCELLED", `attempt ${attempt} of ${step} is over`);
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
  const { name } = definition;
  const step = state.steps.get(name) as StepState;
  const wanted = visibleNeeds(state, definition, step);
  const { workflow, version, key } = state.info as RunInfo;
  return whenThere(payloads.read(state, wanted), ({ input, results }) =>
    whenThere(payloads.checkpoints(state, name), (checkpoints) => {
      const { id, run, fingerprint } = state;
      const { attempt = 1, epoch = 0 } = step;
      const given: Writable<AttemptInput> = {
        id,
        run,
        workflow,
        version,
        fingerprint,
        step: name,
        attempt,
        epoch,
        results,
        checkpoints,
      };
      if (key !== undefined) given.key = key;
      if (input !== undefined) given.input = input;
      return given;
    }),
  );
}

const NONE: readonly string[] = [];

function visibleNeeds(state: RunState, { needs, maybeNeeds }: StepDefinition, step: StepState): readonly string[] {
  if (needs.length + maybeNeeds.length === 0) return NONE;
  return [...needs.map(needName), ...maybeNeeds.map(needName).filter((one) => isVisible(state, one, step))];
}

/** An optional result is seen if it was there when the step was reached, so that every attempt sees the same. */
function isVisible(state: RunState, name: string, reader: StepState): boolean {
  const { result, takenAt = result } = state.steps.get(name) ?? {};
  return result !== undefined && takenAt !== undefined && takenAt <= (reader.since ?? state.revision);
}
