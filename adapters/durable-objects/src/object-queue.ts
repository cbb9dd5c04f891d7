import {
  type AttemptInput,
  attemptInput,
  type Changes,
  type Code,
  type DrivenInstance,
  type Driver,
  type TelemetryProbe,
} from "@hephaestus/core";
import type { AttemptToken, ClaimAnswer, Definitions } from "./object-api.ts";
import { objectName } from "./object-name.ts";
import type { ObjectParts } from "./object-parts.ts";
import type { StepMessage } from "./options.ts";
import { isCurrent, type QueuedStep, QueuedSteps } from "./queued-steps.ts";
import { MESSAGE_BYTES_MAX, messageBytes, sendSteps, stepsForQueue } from "./send-steps.ts";

/** How much of inputs one claim answers, in UTF-16 units: far below the 32 MiB of one call. The rest is asked again. */
const CLAIM_LENGTH_MAX = 4_000_000;

/** Where the object writes down what is on the queue. */
const NOTE_KEY = "queue";

interface Note {
  readonly run: number;
  readonly steps: Readonly<Record<string, QueuedStep>>;
}

/**
 * The steps of one object that run on the queue: sent, claimed, heard of, or not. It is kept in memory, which costs
 * nothing. Only after it was lost once, with the object, it is written down as well, so that waits come to their end
 * and interruptions are counted however often the object is loaded anew.
 */
export class ObjectQueue {
  readonly #ctx: DurableObjectState;
  readonly #parts: ObjectParts;
  #steps: QueuedSteps;
  #isNoted = false;

  constructor(ctx: DurableObjectState, parts: ObjectParts) {
    this.#ctx = ctx;
    this.#parts = parts;
    this.#steps = new QueuedSteps(parts.timing);
  }

  /** Nothing is on its way or being run. */
  get isEmpty(): boolean {
    return !this.#steps.anyOut;
  }

  get nextDeadline(): number | undefined {
    return this.#steps.nextDeadline;
  }

  /** Whether an attempt of this step may have begun somewhere. */
  mayHaveBegun(step: string): boolean {
    return this.#steps.mayHaveBegun(step);
  }

  /** After each commit. Another run has nothing of the one before. */
  committed({ state }: DrivenInstance, changes: Changes): void {
    if (changes.run) {
      this.#steps = new QueuedSteps(this.#parts.timing);
      this.#isNoted = false;
    }
    this.#steps.prune(state);
  }

  /**
   * Takes up, in an object that was loaded anew, what may be on the queue.
   * @returns the active steps that are not: what ran in the object is gone
   */
  takeUp(driver: DrivenInstance, code: Code): readonly string[] {
    const { state } = driver;
    const active = [...state.open].filter((name) => {
      const step = state.steps.get(name);
      return step?.status === "active" && step.wakeAt === undefined;
    });
    const elsewhere = this.#forQueue(driver, code, active);
    if (elsewhere.size === 0) return active;
    this.#isNoted = true;
    const note = this.#ctx.storage.kv.get<Note>(NOTE_KEY);
    if (note?.run === state.run) {
      this.#steps = new QueuedSteps(this.#parts.timing, note.steps);
      this.#steps.prune(state);
    } else {
      for (const name of elsewhere) this.#steps.await(name, attemptOf(driver, name), Date.now());
      this.#note(driver);
    }
    return active.filter((name) => !elsewhere.has(name));
  }

  /** Sends those of these steps that are for the queue and not on it. */
  dispatch(driver: DrivenInstance, steps: readonly string[]): ReadonlySet<string> {
    const { code } = driver;
    if (code === undefined) return new Set();
    const elsewhere = this.#forQueue(driver, code, steps);
    const fresh = [...elsewhere].filter((name) => !this.#steps.isOut(name, attemptOf(driver, name)));
    this.#send(driver, fresh);
    return elsewhere;
  }

  /** Finds what is overdue: what nobody came for may be sent again; a silent consumer's attempts are interrupted. */
  async lookAfter(driver: Driver): Promise<void> {
    this.#steps.prune(driver.state);
    const silent = this.#steps.takeSilent(Date.now());
    if (silent.length > 0) await driver.submit({ type: "interrupted", steps: silent });
  }

  async claim(driver: Driver, tokens: readonly AttemptToken[], definitions: Definitions): Promise<ClaimAnswer> {
    const { state, code } = driver;
    const isKnown = definitions.some(
      (one) => one.fingerprint === state.fingerprint && one.workflow === state.info?.workflow,
    );
    const wanted = tokens.map((token) => isKnown && isCurrent(state, token) && !this.#steps.isClaimed(token.step));
    if (state.paused || state.ending) {
      // They have not begun: they are held back until the run goes on, and sent again then; or they are over.
      const heldBack = tokens.filter((_, index) => wanted[index]);
      await Promise.all(heldBack.map((token) => driver.submit({ type: "aborted", ...token, begun: false })));
      return tokens.map(() => undefined);
    }
    let length = 0;
    const claims = tokens.map(({ step, attempt }, index) => {
      const definition = wanted[index] ? code?.steps.get(step) : undefined;
      // The same one twice in a batch is asked for once.
      if (definition === undefined || this.#steps.isClaimed(step)) return undefined;
      this.#steps.claim(step, attempt, Date.now());
      return definition;
    });
    const answers: (AttemptInput | "later" | undefined)[] = [];
    for (const definition of claims) {
      if (definition === undefined || length > CLAIM_LENGTH_MAX) {
        if (definition) this.#steps.unclaim(definition.name);
        answers.push(definition && "later");
        continue;
      }
      const input = await attemptInput(driver, definition);
      for (const text of [input.input, ...Object.values(input.results)]) length += text?.length ?? 0;
      answers.push(input);
    }
    const claimed = tokens.filter((_, index) => typeof answers[index] === "object");
    if (claimed.length > 0) this.#note(driver);
    this.#tellBegun(driver, claimed);
    return answers;
  }

  /** @returns which of the attempts are still wanted */
  heartbeat(driver: DrivenInstance, tokens: readonly AttemptToken[]): readonly boolean[] {
    let moved = false;
    const wanted = tokens.map((token) => {
      if (!isCurrent(driver.state, token)) return false;
      moved = this.#steps.heartbeat(token.step, token.attempt, Date.now()) || moved;
      return driver.state.ending === undefined;
    });
    if (moved) this.#note(driver);
    return wanted;
  }

  #tellBegun({ state }: DrivenInstance, claimed: readonly AttemptToken[]): void {
    const telemetry: TelemetryProbe | undefined = this.#parts.telemetry;
    if (telemetry === undefined) return;
    for (const { step, attempt } of claimed) {
      telemetry.attemptStarted(state, Date.now(), { step, attempt, concurrency: claimed.length });
    }
  }

  #send(driver: DrivenInstance, steps: readonly string[]): void {
    const { queue } = this.#parts.bindings;
    if (steps.length === 0 || queue === undefined) return;
    for (const step of steps) this.#steps.sent(step, attemptOf(driver, step), Date.now());
    this.#note(driver);
    const messages = steps.map((step) => this.#messageOf(driver, step));
    // A message that could not be sent is one that nobody comes for in time.
    const sent = sendSteps(queue, messages).catch((error: unknown) => console.error("hephaestus: queue", error));
    this.#ctx.waitUntil(sent);
  }

  /** What no message can name is run in the object. */
  #forQueue(driver: DrivenInstance, code: Code, steps: readonly string[]): ReadonlySet<string> {
    if (this.#parts.bindings.queue === undefined) return new Set();
    const wanted = stepsForQueue(code);
    return new Set(
      steps.filter((name) => wanted.has(name) && messageBytes(this.#messageOf(driver, name)) <= MESSAGE_BYTES_MAX),
    );
  }

  #messageOf(driver: DrivenInstance, step: string): StepMessage {
    const { namespace } = this.#parts;
    const object = objectName({ namespace, id: driver.id });
    return { object, run: driver.state.run, step, attempt: attemptOf(driver, step) };
  }

  #note({ state }: DrivenInstance): void {
    if (!this.#isNoted) return;
    const note: Note = { run: state.run, steps: this.#steps.toRecord() };
    this.#ctx.storage.kv.put(NOTE_KEY, note);
  }
}

function attemptOf({ state }: DrivenInstance, step: string): number {
  return state.steps.get(step)?.attempt ?? 1;
}
