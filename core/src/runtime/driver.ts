import { HephaestusError } from "../definition/errors.ts";
import type { Json } from "../definition/json.ts";
import type { Command } from "../engine/commands.ts";
import { isFresh } from "../engine/decide.ts";
import { type PendingWork, pendingWork } from "../engine/pending.ts";
import { emptyRun, type RunState } from "../engine/run-state.ts";
import type { Timestamp } from "../engine/state.ts";
import type { AttemptReport } from "./attempt.ts";
import { Attempts, withChoice } from "./attempts.ts";
import { pickTargets } from "./choice.ts";
import { Committer } from "./committer.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { type LoadedState, loadState } from "./load-state.ts";
import type { PayloadReader } from "./payload-reader.ts";
import type { Code } from "./registry.ts";
import { toStoredError } from "./stored-error.ts";

/**
 * Drives one instance: asks the engine what must happen, does it, has what came of it committed, and asks again.
 */
export class Driver implements DrivenInstance {
  readonly id: string;
  readonly attempts: Attempts;
  readonly #host: DriverHost;
  readonly #committer: Committer;
  /** The steps whose choice is being made; made when there is one. */
  #choosing: Set<string> | undefined;
  #timer: { readonly at: Timestamp; readonly cancel: () => void } | undefined;

  /** @param askedAt when the storage was asked for what is loaded */
  constructor(host: DriverHost, loaded: LoadedState, askedAt: Timestamp) {
    this.#host = host;
    this.id = loaded.state.id;
    this.attempts = new Attempts(host, this);
    this.#committer = new Committer(host, loaded, askedAt, {
      flushed: () => this.work(),
      tookMs: (step) => this.attempts.tookMs(step),
    });
  }

  get state(): RunState {
    return this.#committer.state;
  }

  /** The code of the run; undefined when it is parked. */
  get code(): Code | undefined {
    return this.#committer.code;
  }

  get lastNonce(): string | undefined {
    return this.#committer.lastNonce;
  }

  get payloads(): PayloadReader {
    return this.#committer.payloads;
  }

  /** Loads an instance and gives it a driver; one that does not exist yet has a state without a run. */
  static async load(host: DriverHost, id: string): Promise<Driver> {
    const askedAt = host.clock.now();
    return new Driver(host, await loadState(host, id), askedAt);
  }

  /** A driver of what there is not, as far as it knows: the first commit tells. */
  static ofNothing(host: DriverHost, id: string): Driver {
    return new Driver(host, { state: emptyRun(id), code: undefined, nonce: undefined }, 0);
  }

  /**
   * Has a command decided and committed. Idempotent by the command's id or the attempt's token.
   * @param code for a start: the code of the new run; for an adopt: that which the run would go on with
   */
  submit(command: Command, code?: Code): Promise<Json> {
    return this.#committer.submit(command, code);
  }

  /** As `submit`, for what nobody waits for. */
  tell(command: Command): void {
    this.#committer.tell(command);
  }

  /** Does what the state says must be done. Called after every change; calling it once more does no harm. */
  work(): void {
    // What is on its way may say that a step is over which the state still has for active; work follows it anyway.
    if (this.busy) return;
    const { code, state } = this;
    if (this.closed || code === undefined) {
      this.#arm(undefined);
      this.#rest(undefined);
      return;
    }
    const work = pendingWork(code.graph, state);
    if (!this.#owns()) {
      this.#arm(undefined);
      this.#leaveToOwner(work.wakeAt);
      return;
    }
    this.attempts.abortStale();
    for (const name of work.abort) if (!this.#host.runsElsewhere?.(this, name)) this.attempts.abort(name);
    for (const name of work.choose) void this.#choose(code, name);
    if (work.compensate !== undefined) this.attempts.compensate(work.compensate);
    this.#run(work);
    this.#arm(work.wakeAt);
    if (this.#running === 0) this.#rest(work.wakeAt);
  }

  /** Nothing is in flight: no command, no attempt, no choice. */
  get idle(): boolean {
    return !this.busy && this.#running === 0;
  }

  /** How many attempts and choices are in this process's memory. */
  get #running(): number {
    return this.attempts.count + (this.#choosing?.size ?? 0);
  }

  get closed(): boolean {
    return this.#committer.closed;
  }

  /** Has something of its own in flight, by which it will learn what others committed. */
  get busy(): boolean {
    return this.#committer.busy;
  }

  /**
   * Records how an attempt ended that ran elsewhere; the choice that follows it is made here, in the same commit.
   * @returns "ignored" when it is not the current attempt of an open step
   */
  async report(report: AttemptReport): Promise<Json> {
    const { code } = this;
    const chosen = report.type === "outcome" && code ? withChoice(code, this, report) : report;
    return this.submit(chosen instanceof Promise ? await chosen : chosen);
  }

  /** When something of the run comes due by itself. */
  get nextWake(): Timestamp | undefined {
    return this.code && pendingWork(this.code.graph, this.state).wakeAt;
  }

  /** While attempts run: keeps the lease, and does what is due by a clock that was put forward since the timer was set. */
  tend(): void {
    const { runner, clock } = this.#host;
    const { owner } = this.state;
    const now = clock.now();
    const isOverdue = this.#timer !== undefined && this.#timer.at <= now;
    const runsShort = runner && owner?.id === runner.id && !isFresh(owner, runner, now);
    if (isOverdue || runsShort) this.tell({ type: "wake" });
  }

  /** Begins nothing new: what is reached from now on is given back, for another runner to take at once. */
  drain(): void {
    this.attempts.draining = true;
    this.work();
  }

  /** Gives back what still runs: it will be run again under a new token, and this is not counted as an interruption. */
  async handBack(): Promise<void> {
    const given = this.attempts.giveBack(new HephaestusError("CLOSED", "the runner is closing"));
    await Promise.all(given.map((command) => this.submit(command)));
    // Another runner may have made steps ready meanwhile, which would wait for this one's lease to run out.
    const left = this.code && this.#owns() ? pendingWork(this.code.graph, this.state).run : [];
    await Promise.all(left.map((step) => this.submit(this.attempts.notBegun(step))));
  }

  /** Stops without a trace: nothing more is begun or committed. */
  close(): void {
    this.#committer.close();
    this.#timer?.cancel();
    if (this.attempts.count > 0) this.attempts.abortAll(new HephaestusError("CLOSED", "the runner is closing"));
  }

  /** Reads what other writers committed since. */
  async refresh(): Promise<void> {
    await this.#committer.refresh();
    this.work();
  }

  /**
   * What is to be run is run by its owner alone: by whoever took the lease in a commit, also from an earlier driver of
   * this very runner.
   */
  #owns(): boolean {
    return this.#host.runner === undefined || (this.state.owner !== undefined && this.#committer.holdsLease);
  }

  #leaveToOwner(wakeAt: Timestamp | undefined): void {
    const { owner } = this.state;
    if (owner?.id === this.#host.runner?.id && owner) this.tell({ type: "interrupted", owner });
    else this.#rest(owner ? undefined : wakeAt);
  }

  #run({ run, serial }: PendingWork): void {
    if (run.length === 0) return;
    if (this.attempts.draining || this.state.paused) {
      // What has begun here or elsewhere may come to its end.
      this.attempts.refuse(run.filter((name) => !this.#host.runsElsewhere?.(this, name)));
      return;
    }
    if (serial && (this.attempts.count > 0 || run.some((name) => this.#host.runsElsewhere?.(this, name)))) return;
    const fresh = run.filter((name) => !this.attempts.has(name));
    if (fresh.length === 0) return;
    const next = serial ? fresh.slice(0, 1) : fresh;
    const elsewhere = this.#host.dispatch?.(this, next);
    for (const name of next) if (!elsewhere?.has(name)) this.attempts.start(name);
  }

  #rest(wakeAt: Timestamp | undefined): void {
    if (this.busy) return;
    if (this.attempts.count > 0) this.attempts.abortStale();
    this.#host.rested(this, wakeAt);
  }

  /** At rest the runner's own timer wakes the instance: one that is let go must not wake by itself. */
  #arm(wakeAt: Timestamp | undefined): void {
    const at = this.attempts.draining || this.#running === 0 ? undefined : wakeAt;
    if (this.#timer?.at === at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    const cancel = this.#host.clock.schedule(at, () => {
      this.#timer = undefined;
      this.tell({ type: "wake" });
    });
    this.#timer = { at, cancel };
  }

  async #choose(code: Code, name: string): Promise<void> {
    this.#choosing ??= new Set();
    if (this.#choosing.has(name)) return;
    this.#choosing.add(name);
    const { state } = this;
    const { run, steps } = state;
    const { event = "" } = steps.get(name) ?? {};
    const made = await pickTargets(code, this, name, event).then(
      (targets) => ({ targets }),
      (thrown: unknown) => ({ error: toStoredError(thrown) }),
    );
    this.#choosing.delete(name);
    if (this.state === state) this.tell({ type: "choice", run, step: name, ...made });
    // Of an instance that was loaded anew meanwhile another choice may wait for this one.
    else this.work();
  }
}
