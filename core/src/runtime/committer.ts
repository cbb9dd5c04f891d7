import { HephaestusError } from "../definition/errors.ts";
import type { Json } from "../definition/json.ts";
import type { Command } from "../engine/commands.ts";
import { type Decision, decide } from "../engine/decide.ts";
import { COMMAND_RETENTION_MS } from "../engine/limits.ts";
import { decideParked } from "../engine/parked.ts";
import { applyDecision, applyRecord, isEnded, type RunState } from "../engine/run-state.ts";
import type { Changes, Timestamp } from "../engine/state.ts";
import type { Clock } from "./clock.ts";
import type { DrivenInstance, DriverHost } from "./driver-host.ts";
import { codeOfRun, type LoadedState, loadState } from "./load-state.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import { PayloadReader } from "./payload-reader.ts";
import { withQueryable } from "./queryable.ts";
import type { Code } from "./registry.ts";
import { answer, codeOf, ignoreOwn, type Request, rejectAll, rejectCallers, takeBatch } from "./requests.ts";
import type { CommitResult, StoredRecord } from "./storage.ts";
import { toStoredError } from "./stored-error.ts";
import { toCommit } from "./to-commit.ts";

/** How long to wait before a storage that failed is asked again, in milliseconds: doubled each time up to the last. */
const STORAGE_RETRY_MS = [50, 100, 200, 400, 800, 1_600, 3_200] as const;

const STORAGE_RETRY_MS_LAST = 5_000;

/**
 * Who has heard nothing of the storage for so long reads before it commits. An instance that was deleted may be forgotten
 * a day later and made anew; then its revisions, runs and attempts are counted from 1 again, and only nonces differ.
 */
const HEARD_MS_MAX = COMMAND_RETENTION_MS / 2;

/** Why a try to commit did not conclude. */
interface Trouble {
  /** refused: the state may not be the latest, and the engine says no to it, or it is old. error: the outcome is unknown. */
  readonly type: "refused" | "conflict" | "error";
  readonly error?: unknown;
  /** Of what was to be committed, if anything was. */
  readonly nonce?: string;
  /** Tells all who asked what was decided: it is true once the record is found. */
  readonly answer?: () => void;
}

/** What a committer needs to know of its driver. */
interface CommitterHooks {
  /** All that was submitted is concluded. */
  flushed(): void;
  /** How long the last attempt of a step ran, where that is known. */
  readonly tookMs: (step: string) => number | undefined;
}

/**
 * Brings the commands of one instance into its journal: has the engine decide, commits, folds what was committed. One
 * commit is in flight at a time; what arrives meanwhile shares the next.
 */
export class Committer implements DrivenInstance {
  readonly id: string;
  state: RunState;
  code: Code | undefined;
  readonly payloads: PayloadReader;
  closed = false;
  /** Whether the lease in the state was taken by a commit of this very driver: only then is what is open its own. */
  holdsLease = false;
  readonly #host: DriverHost;
  readonly #hooks: CommitterHooks;
  readonly #queue: Request[] = [];
  readonly #flushQueue = (): void => this.#flush();
  readonly #tellFailed = (error: unknown): void => this.#host.failed(this, error);
  #flushing = false;
  /** The code that the next run has, or that an adopted one goes on with, once the commit that is being made says so. */
  #next: Code | undefined;
  lastNonce: string | undefined;
  /** Of the commit that is being made: a record with it is this driver's own, and only its writer tells of a record. */
  #nonce: string | undefined;
  /** When the storage was last asked something that it answered. */
  #heardAt: Timestamp;

  constructor(host: DriverHost, { state, code, nonce }: LoadedState, heardAt: Timestamp, hooks: CommitterHooks) {
    this.#heardAt = heardAt;
    this.#host = host;
    this.#hooks = hooks;
    this.id = state.id;
    this.state = state;
    this.code = code;
    this.lastNonce = nonce;
    this.payloads = new PayloadReader(state.id, host.storage, () => this.refresh());
  }

  /** Has something in flight, by which it will learn what others committed. */
  get busy(): boolean {
    return this.#flushing || this.#queue.length > 0;
  }

  /** @param code for a start: the code of the new run */
  submit(command: Command, code?: Code): Promise<Json> {
    return new Promise((resolve, reject) => this.#add({ command, code, resolve, reject }));
  }

  /** As `submit`, for what nobody waits for. */
  tell(command: Command): void {
    this.#add({ command, code: undefined, resolve: ignore, reject: this.#tellFailed });
  }

  /** Stops without a trace: nothing more is committed. */
  close(): void {
    this.closed = true;
    if (this.#queue.length > 0) rejectAll(this.#queue.splice(0), this.#closedError());
  }

  #closedError(): HephaestusError {
    return new HephaestusError("CLOSED", `the runner of ${this.id} is closed`);
  }

  #add(request: Request): void {
    if (this.closed) {
      request.reject(this.#closedError());
      return;
    }
    this.#queue.push(request);
    if (this.#flushing) return;
    this.#flushing = true;
    // What is submitted in this turn goes into one commit.
    void NOW.then(this.#flushQueue);
  }

  /** Commits what is queued; where the storage answers at once, in one go. */
  #flush(): void {
    while (this.#queue.length > 0) {
      const batch = takeBatch(this.#queue);
      const concluding = this.#commit(batch);
      if (concluding instanceof Promise) {
        void concluding.catch((error: unknown) => this.#giveUp(batch, error)).then(this.#flushQueue);
        return;
      }
    }
    this.#flushing = false;
    this.#hooks.flushed();
  }

  #commit(batch: readonly Request[]): MaybePromise<void> {
    return whenThere(this.#try(batch, false), (trouble) => (trouble ? this.#insist(batch, trouble) : undefined));
  }

  /** Decides and commits once. Answers who asked, unless there is trouble. */
  #try(batch: readonly Request[], isFresh: boolean): MaybePromise<Trouble | undefined> {
    if (this.closed) {
      rejectAll(batch, this.#closedError());
      return undefined;
    }
    let decision: Decision;
    try {
      decision = this.#decide(batch);
    } catch (error) {
      // An invariant of the engine is broken: to go on would repeat it without end.
      this.#giveUp(batch, error);
      return undefined;
    }
    const { changes, replies, draft } = decision;
    if (this.state.revision > 0 && draft.now - this.#heardAt > HEARD_MS_MAX) return { type: "refused" };
    if (changes === undefined) {
      // Nothing is committed, so that no fence tells whether the state was the latest: before a no it is looked up.
      if (!isFresh && !replies.every(isYes)) return { type: "refused" };
      answer(batch, replies);
      return undefined;
    }
    const nonce = this.#host.nonce();
    this.#nonce = nonce;
    const answerAll = (): void => answer(batch, replies);
    const failed = (error: unknown): Trouble => ({ type: "error", error, nonce, answer: answerAll });
    const conclude = (result: CommitResult): Trouble | undefined => {
      if (result !== "ok") return { type: "conflict", nonce, answer: answerAll };
      this.#heardAt = draft.now;
      this.#foldDecision(decision, changes);
      answerAll();
      return undefined;
    };
    try {
      const commit = withQueryable(
        toCommit(decision, changes, nonce, batch),
        this.#next ?? this.code,
        decision,
        this.payloads,
      );
      const result = whenThere(commit, (made) => this.#host.commit(made));
      return result instanceof Promise ? result.then(conclude).catch(failed) : conclude(result);
    } catch (error) {
      return failed(error);
    }
  }

  /** Looks up what is stored, and tries again until there is an answer. */
  async #insist(batch: readonly Request[], first: Trouble): Promise<void> {
    let waiting = batch;
    let trouble: Trouble | undefined = first;
    const { state } = this;
    for (let failures = 0; trouble !== undefined; failures++) {
      const { nonce } = trouble;
      let error: unknown = trouble.error;
      try {
        if (error === undefined && (await this.#reload(nonce))) return trouble.answer?.();
      } catch (thrown) {
        error = thrown;
      }
      if (error !== undefined) {
        // A newer version has taken over: this one has nothing more to say.
        if (codeOf(error) === "FORMAT_NEWER") return this.#giveUp(waiting, error);
        if (codeOf(error) === "LIMIT_EXCEEDED") return this.#commitSmaller(waiting, error);
        const wait = STORAGE_RETRY_MS[failures];
        // Callers are told; what an attempt has to report is kept until there is a place for it.
        if (wait === undefined || codeOf(error) === "STORAGE_FULL") waiting = rejectCallers(waiting, error);
        if (waiting.length === 0) return;
        await sleep(this.#host.clock, wait ?? STORAGE_RETRY_MS_LAST);
        // The outcome is unknown: what is stored tells.
        if (await this.#reload(nonce).catch(() => false)) return trouble.answer?.();
      }
      if (this.state !== state) waiting = ignoreOwn(waiting);
      if (waiting.length === 0) return;
      trouble = await this.#try(waiting, trouble.type === "refused" && error === undefined);
    }
  }

  #decide(batch: readonly Request[]): Decision {
    const { clock, runner } = this.#host;
    const [first] = batch;
    // Where nothing is there yet, what is asked right behind a start is checked by its code.
    if (first?.code && this.state.info === undefined) this.code = first.code;
    const commands = batch.length === 1 && first ? [first.command] : batch.map(({ command }) => command);
    const now = clock.now();
    this.#next = first && this.#codeAfter(first);
    const code = this.#next ?? this.code;
    if (code === undefined) return decideParked(this.state, commands, now);
    const context = runner ? { now, runner } : { now };
    const { owner } = this.state;
    const isOwn = this.holdsLease || this.#next !== undefined || runner === undefined;
    if (isOwn || owner?.id !== runner.id) return decide(code.graph, this.state, commands, context);
    // Under this very runner's lease an earlier driver has begun something, or this one when it had other code.
    if (first?.command.type === "start") return decide(code.graph, this.state, commands, { now });
    const decision = decide(code.graph, this.state, [{ type: "interrupted", owner }, ...commands], context);
    return { ...decision, replies: decision.replies.slice(1) };
  }

  /** Of an adoption: what is here under the name and version of the run, whatever its graph. */
  #codeAfter({ command, code }: Request): Code | undefined {
    const { info, status } = this.state;
    if (code && isEnded(status)) return code;
    if (this.code || command.type !== "adopt") return undefined;
    return info && this.#host.registry.find(info.workflow, info.version);
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

  #foldDecision(decision: Decision, changes: Changes): void {
    const { payloads, draft } = decision;
    const { revision, run } = draft;
    // A run that was begun without an input has no payload: that is known, and need not be read.
    if (payloads ?? changes.run) this.payloads.keep(revision, payloads ?? {});
    // A refresh meanwhile may have read and folded it already.
    if (this.state.revision >= revision) return;
    if (this.#next) this.#goOnUnder(this.#next);
    if (this.#host.telemetry) this.#fold({ revision, run, nonce: this.#nonce ?? "", changes }, payloads?.input);
    else {
      this.#noteLease(changes, true);
      this.lastNonce = this.#nonce;
      applyDecision(this.state, decision);
      this.#host.committed(this, changes);
    }
  }

  #fold(record: StoredRecord, input?: string): void {
    const { state } = this;
    const graph = this.code?.graph;
    const { telemetry, clock } = this.#host;
    const isOwn = record.nonce === this.#nonce;
    const context = graph && isOwn && { state, graph, now: clock.now(), input, attemptMs: this.#hooks.tookMs };
    const tell = context ? telemetry?.committed(context, record.changes) : undefined;
    this.#noteLease(record.changes, isOwn);
    this.lastNonce = record.nonce;
    applyRecord(state, record, graph);
    this.#host.committed(this, record.changes);
    tell?.();
  }

  /** What was begun under other code is not gone on with, whoever owns it. */
  #goOnUnder(code: Code | undefined): void {
    this.code = code;
    this.holdsLease = false;
  }

  #noteLease({ owner }: Changes, isOwn: boolean): void {
    if (owner !== undefined) this.holdsLease = isOwn && owner !== null;
  }

  /** Reads what other writers committed since. */
  async refresh(): Promise<void> {
    await this.#reload();
  }

  /**
   * Folds what others committed, or what this driver did without hearing of it.
   * @returns whether a record with this nonce is among it
   */
  async #reload(nonce?: string): Promise<boolean> {
    const { state } = this;
    const asked = state.revision;
    const last = this.lastNonce;
    const askedAt = this.#host.clock.now();
    // With the last one that is folded: where it is not there, the instance was forgotten meanwhile, or made anew.
    const loaded = await this.#host.storage.load(this.id, Math.max(asked - 1, 0));
    const first = loaded?.[0];
    if (this.state !== state) return this.#reload(nonce);
    const isSame = asked === 0 ? (first?.revision ?? 1) === 1 : first?.revision === asked && first.nonce === last;
    if (loaded === undefined ? asked > 0 : !isSame) {
      // What this driver committed while that was read says more than what it knew before.
      return state.revision === asked ? this.#loadAnew(nonce) : this.#reload(nonce);
    }
    this.#heardAt = askedAt;
    // What was awaited above took time in which a commit of this driver may have been folded.
    const records = loaded?.filter((record) => record.revision > state.revision) ?? [];
    for (const record of records) {
      const { run, fingerprint = run?.fingerprint } = record.changes;
      if (run) this.payloads.clear();
      // Another run, or another graph that it goes on with.
      if (fingerprint !== undefined) this.#goOnUnder(codeOfRun(this.#host.registry, run ?? state.info, fingerprint));
      this.#fold(record);
    }
    return loaded?.some((record) => record.nonce === nonce) ?? false;
  }

  async #loadAnew(nonce: string | undefined): Promise<boolean> {
    const { state } = this;
    const { revision } = state;
    const askedAt = this.#host.clock.now();
    const fresh = await loadState(this.#host, this.id);
    // What was folded while that was read may be newer.
    if (this.state !== state || state.revision !== revision) return this.#reload(nonce);
    // What attempts of before had to tell is of no use to what is there now.
    this.#queue.push(...ignoreOwn(this.#queue.splice(0)));
    this.state = fresh.state;
    this.#heardAt = askedAt;
    this.lastNonce = fresh.nonce;
    this.holdsLease = false;
    this.code = fresh.code ?? (fresh.state.info ? undefined : this.code);
    this.payloads.clear();
    const all = await this.#host.storage.load(this.id);
    return all?.some((record) => record.nonce === nonce) ?? false;
  }
}

const NOW = Promise.resolve();

function ignore(): void {}

function isYes({ error }: { readonly error?: unknown }): boolean {
  return error === undefined;
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(clock.now() + ms, resolve);
  });
}
