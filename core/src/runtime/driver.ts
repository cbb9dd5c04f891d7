import { HephaestusError } from "../definition/errors.ts";
import type { Graph } from "../definition/graph.ts";
import type { Json, JsonText } from "../definition/json.ts";
import type { Command } from "../engine/commands.ts";
import { type Decision, decide } from "../engine/decide.ts";
import { type PendingWork, pendingWork } from "../engine/pending.ts";
import { applyRecord, isEnded, type RunState } from "../engine/run-state.ts";
import type { Timestamp } from "../engine/state.ts";
import type { AttemptReport } from "./attempt.ts";
import { type Attempts, makeAttempts, withChoice } from "./attempts.ts";
import { pickTargets } from "./choice.ts";
import type { Clock } from "./clock.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { loadState, replyWithoutCode } from "./load-state.ts";
import { type PayloadReader, payloadReader } from "./payload-reader.ts";
import type { Code } from "./registry.ts";
import { answer, codeOf, type Request, rejectAll, rejectCallers, takeBatch } from "./requests.ts";
import type { Commit, StoredRecord } from "./storage.ts";
import { toStoredError } from "./stored-error.ts";
import { toCommit } from "./to-commit.ts";

/** How long to wait before a storage that failed is asked again, in milliseconds: doubled each time up to the last. */
const STORAGE_RETRY_MS = [50, 100, 200, 400, 800, 1_600, 3_200] as const;

const STORAGE_RETRY_MS_LAST = 5_000;

/** What is said without anything to commit. */
type Refusal = Pick<Decision, "replies"> & { readonly changes: undefined };

/**
 * Drives one instance: asks the engine what must happen, does it, commits what came of it, and asks again. One commit
 * is in flight at a time; what arrives meanwhile shares the next.
 */
export class Driver implements DrivenInstance {
  readonly id: string;
  state: RunState;
  readonly payloads: PayloadReader;
  readonly attempts: Attempts;
  readonly #host: DriverHost;
  #code: Code | undefined;
  #queue: Request[] = [];
  #flushing = false;
  #choosing = new Set<string>();
  #timer: { readonly at: Timestamp; readonly cancel: () => void } | undefined;
  #draining = false;
  #closed = false;
  /** Of the commit that is being made: a record with it is this driver's own, and only its writer tells of a record. */
  #nonce: string | undefined;

  constructor(host: DriverHost, state: RunState, code: Code | undefined) {
    this.#host = host;
    this.id = state.id;
    this.state = state;
    this.#code = code;
    this.payloads = payloadReader(state.id, host.storage);
    this.attempts = makeAttempts(host, this);
  }

  /** The code of the run; undefined when it is parked. */
  get code(): Code | undefined {
    return this.#code;
  }

  /** Loads an instance and gives it a driver; one that does not exist yet has a state without a run. */
  static async load(host: DriverHost, id: string): Promise<Driver> {
    const { state, code } = await loadState(host, id);
    return new Driver(host, state, code);
  }

  /**
   * Has a command decided and committed. Idempotent by the command's id or the attempt's token.
   * @param code for a start: the code of the new run
   */
  submit(command: Command, code?: Code): Promise<Json> {
    if (this.#closed) return Promise.reject(new HephaestusError("CLOSED", `the runner of ${this.id} is closed`));
    if (code && isEnded(this.state.status)) this.#code = code;
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject });
      this.#schedule();
    });
  }

  /** Does what the state says must be done. Called after every change; calling it once more does no harm. */
  work(): void {
    // What is on its way may say that a step is over which the state still has for active; work follows it anyway.
    if (this.busy) return;
    if (this.#closed || this.#code === undefined) {
      this.#arm(undefined);
      this.#rest(undefined);
      return;
    }
    const work = pendingWork(this.#code.graph, this.state);
    if (!this.#owns()) {
      this.#arm(undefined);
      this.#rest(this.state.owner ? undefined : work.wakeAt);
      return;
    }
    this.attempts.abortStale();
    for (const name of work.abort) if (!this.#host.runsElsewhere?.(this, name)) this.attempts.abort(name);
    for (const name of work.choose) void this.#choose(name);
    if (work.compensate !== undefined) this.attempts.compensate(work.compensate);
    this.#run(work);
    this.#arm(work.wakeAt);
    if (this.attempts.count === 0 && this.#choosing.size === 0) this.#rest(work.wakeAt);
  }

  /** Nothing is in flight: no command, no attempt, no choice. */
  get idle(): boolean {
    return !this.#flushing && this.#queue.length === 0 && this.attempts.count === 0 && this.#choosing.size === 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Has something of its own in flight, by which it will learn what others committed. */
  get busy(): boolean {
    return this.#flushing || this.#queue.length > 0;
  }

  /**
   * Records how an attempt ended that ran elsewhere; the choice that follows it is made here, in the same commit.
   * @returns "ignored" when it is not the current attempt of an open step
   */
  async report(report: AttemptReport): Promise<Json> {
    const code = this.#code;
    const chosen = report.type === "outcome" && code ? withChoice(code, this, report) : report;
    return this.submit(chosen instanceof Promise ? await chosen : chosen);
  }

  /** When something of the run comes due by itself. */
  get nextWake(): Timestamp | undefined {
    return this.#code && pendingWork(this.#code.graph, this.state).wakeAt;
  }

  /** Keeps the lease while attempts run. */
  renew(): void {
    const { runner, clock } = this.#host;
    const { owner } = this.state;
    if (runner === undefined || owner?.id !== runner.id || owner.until - clock.now() > runner.leaseMs / 2) return;
    this.submit({ type: "wake" }).catch((error: unknown) => this.#host.failed(this, error));
  }

  /** Begins nothing new: what is reached from now on is given back, for another runner to take at once. */
  drain(): void {
    this.#draining = true;
    this.work();
  }

  /** Gives back what still runs: it will be run again under a new token, and this is not counted as an interruption. */
  async handBack(): Promise<void> {
    const given = this.attempts.giveBack(new HephaestusError("CLOSED", "the runner is closing"));
    await Promise.all(given.map((command) => this.submit(command)));
  }

  /** Stops without a trace: nothing more is begun or committed. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.attempts.abortAll(new HephaestusError("CLOSED", "the runner is closing"));
    for (const { reject } of this.#queue.splice(0)) reject(new HephaestusError("CLOSED", "the runner is closed"));
  }

  /** Reads what other writers committed since. */
  async refresh(): Promise<void> {
    await this.#reload();
    this.work();
  }

  /** What is to be run is run by its owner alone: a lease that has run out is taken by a commit, not by looking. */
  #owns(): boolean {
    const { runner } = this.#host;
    return runner === undefined || this.state.owner?.id === runner.id;
  }

  #run({ run, serial }: PendingWork): void {
    if (run.length === 0) return;
    if (this.#draining || this.state.paused) {
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
    const at = this.#draining || this.attempts.count + this.#choosing.size === 0 ? undefined : wakeAt;
    if (this.#timer?.at === at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    const cancel = this.#host.clock.schedule(at, () => {
      this.#timer = undefined;
      this.submit({ type: "wake" }).catch((error: unknown) => this.#host.failed(this, error));
    });
    this.#timer = { at, cancel };
  }

  async #choose(name: string): Promise<void> {
    if (this.#choosing.has(name) || this.#code === undefined) return;
    this.#choosing.add(name);
    try {
      const { run } = this.state;
      const { event = "" } = this.state.steps.get(name) ?? {};
      const targets = await pickTargets(this.#code, this, name, event).catch((thrown: unknown) =>
        toStoredError(thrown),
      );
      this.#choosing.delete(name);
      await this.submit({
        type: "choice",
        run,
        step: name,
        ...(Array.isArray(targets) ? { targets } : { error: targets }),
      } as Command);
    } catch (error) {
      this.#choosing.delete(name);
      this.#host.failed(this, error);
    }
  }

  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    // What is submitted in this turn goes into one commit.
    void Promise.resolve().then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#commit(takeBatch(this.#queue));
    } finally {
      this.#flushing = false;
    }
    this.work();
  }

  async #commit(batch: readonly Request[]): Promise<void> {
    const { clock } = this.#host;
    let isFresh = false;
    for (let waiting = batch, failures = 0; waiting.length > 0; failures++) {
      if (this.#closed) return rejectAll(waiting, new HephaestusError("CLOSED", `the runner of ${this.id} is closed`));
      const commands = waiting.map((request) => request.command);
      let decision: Decision | Refusal;
      try {
        decision = this.#decide(commands);
      } catch (error) {
        // An invariant of the engine is broken: to go on would repeat it without end.
        return this.#giveUp(waiting, error);
      }
      if (decision.changes === undefined) {
        // Nothing is committed, so that no fence tells whether the state was the latest: before a no it is looked up.
        if (isFresh || decision.replies.every((reply) => reply.error === undefined))
          return answer(waiting, decision.replies);
        await this.#reload().catch((error: unknown) => this.#host.failed(this, error));
        isFresh = true;
        continue;
      }
      const nonce = this.#host.nonce();
      this.#nonce = nonce;
      try {
        if (await this.#write(decision, toCommit(decision, decision.changes, nonce, commands)))
          return answer(waiting, decision.replies);
        if (await this.#reload(nonce)) return answer(waiting, decision.replies);
      } catch (error) {
        if (codeOf(error) === "LIMIT_EXCEEDED") return this.#commitSmaller(waiting, error);
        const wait = STORAGE_RETRY_MS[failures];
        // Callers are told; what an attempt has to report is kept until there is a place for it.
        if (wait === undefined || codeOf(error) === "STORAGE_FULL") waiting = rejectCallers(waiting, error);
        if (waiting.length === 0) return;
        await sleep(clock, wait ?? STORAGE_RETRY_MS_LAST);
        // The outcome is unknown: what is stored tells.
        if (await this.#reload(nonce).catch(() => false)) return answer(waiting, decision.replies);
      }
    }
  }

  #decide(commands: readonly Command[]): Decision | Refusal {
    const { clock, runner } = this.#host;
    if (this.#code === undefined) {
      return { changes: undefined, replies: commands.map((command) => replyWithoutCode(this.state, command)) };
    }
    return decide(this.#code.graph, this.state, commands, { now: clock.now(), ...(runner ? { runner } : {}) });
  }

  /** @returns whether the commit was made; false is a conflict */
  async #write({ draft, payloads }: Decision, commit: Commit): Promise<boolean> {
    const { state } = this;
    if ((await this.#host.commit(commit)) !== "ok") return false;
    const { revision } = draft;
    if (payloads) this.payloads.keep(revision, payloads);
    // A refresh meanwhile may have read and folded it already.
    if (state.revision < revision) {
      const { run, nonce, changes } = commit;
      this.#fold({ revision, run, nonce, changes }, draft.graph, payloads?.input);
    }
    return true;
  }

  /** What does not fit into one record together is committed one by one; a result that never fits fails its step. */
  async #commitSmaller(batch: readonly Request[], error: unknown): Promise<void> {
    for (const request of batch) {
      const { command } = request;
      if (batch.length > 1) await this.#commit([request]);
      else if (command.type !== "outcome") request.reject(error);
      else {
        const { run, step, attempt } = command;
        const failure = {
          type: "failure",
          ...(run === undefined ? {} : { run }),
          step,
          attempt,
          error: toStoredError(error),
          retryable: false,
          jitter: 0,
        } as const;
        await this.#commit([{ ...request, command: failure }]);
      }
    }
  }

  #giveUp(batch: readonly Request[], error: unknown): void {
    rejectAll(batch, error);
    this.close();
    this.#host.failed(this, error);
  }

  #fold(record: StoredRecord, graph: Graph | undefined, input?: JsonText): void {
    const { state } = this;
    const { telemetry, clock } = this.#host;
    const tell =
      graph && record.nonce === this.#nonce
        ? telemetry?.committed(
            { state, graph, now: clock.now(), input, attemptMs: this.attempts.tookMs },
            record.changes,
          )
        : undefined;
    applyRecord(state, record, graph);
    this.#host.committed(this, record.changes);
    tell?.();
  }

  /**
   * Folds what others committed, or what this driver did without hearing of it.
   * @returns whether a record with this nonce is among it
   */
  async #reload(nonce?: string): Promise<boolean> {
    const { state } = this;
    const loaded = await this.#host.storage.load(this.id, state.revision);
    // What was awaited above took time in which a commit of this driver may have been folded.
    const records = loaded?.filter((record) => record.revision > state.revision);
    const first = records?.[0];
    if (records === undefined || (first && first.revision !== state.revision + 1)) {
      const fresh = await loadState(this.#host, this.id);
      this.state = fresh.state;
      this.#code = fresh.code ?? (fresh.state.info ? undefined : this.#code);
      this.payloads.clear();
      const all = await this.#host.storage.load(this.id);
      return all?.some((record) => record.nonce === nonce) ?? false;
    }
    for (const record of records) {
      if (record.changes.run) {
        this.payloads.clear();
        this.#code =
          this.#host.codeOf({ ...state, info: record.changes.run, fingerprint: record.changes.run.fingerprint }) ??
          this.#code;
      }
      this.#fold(record, this.#code?.graph);
    }
    return loaded?.some((record) => record.nonce === nonce) ?? false;
  }
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(clock.now() + ms, resolve);
  });
}
