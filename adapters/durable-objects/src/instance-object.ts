import { DurableObject } from "cloudflare:workers";
import {
  type AttemptReport,
  type Changes,
  COMMAND_RETENTION_MS,
  type Commit,
  checkRequest,
  type DrivenInstance,
  Driver,
  type DriverHost,
  HephaestusError,
  type InstanceRequest,
  isEnded,
  loadPayloads,
  pendingWork,
  readHistory,
  type StartCommand,
  type StartReply,
  systemClock,
  systemRandom,
  toChange,
  toInstanceView,
  toStanding,
} from "@hephaestus/core";
import { firstTimer, needsAlarm, nextAtRest } from "./alarm-times.ts";
import { IndexRefresh, isSeenInIndex } from "./index-refresh.ts";
import { isOnlyResults, nameInJournal, ObjectJournal } from "./journal.ts";
import { Later } from "./later.ts";
import { ObjectAlarm } from "./object-alarm.ts";
import type { AttemptToken, Definitions, ObjectApi } from "./object-api.ts";
import { objectAddress } from "./object-name.ts";
import { makeParts, type ObjectParts, type Shared } from "./object-parts.ts";
import { ObjectQueue } from "./object-queue.ts";
import { ObjectSockets } from "./object-sockets.ts";
import { TIMING_DEFAULT } from "./options.ts";
import { Turn } from "./turn.ts";
import { toWire, type Wire } from "./wire.ts";
import { within } from "./within.ts";

/**
 * The object of one instance: its single writer. It drives the instance from its own journal; one alarm serves all its
 * timers, looks after what runs, and repeats the refresh of the index until that has answered.
 */
export class InstanceObject<Env> extends DurableObject<Env> implements ObjectApi {
  readonly #shared: Shared<Env>;
  readonly #name: string | undefined;
  readonly #journal: ObjectJournal;
  readonly #alarm: ObjectAlarm;
  readonly #turn: Turn;
  readonly #sockets: ObjectSockets;
  /** Results that wait for others. */
  readonly #storing = new Later(() => this.#turn.write());
  #loading: Promise<Driver> | undefined;
  #driver: Driver | undefined;
  #parts: ObjectParts | undefined;
  #queue: ObjectQueue | undefined;
  #refresher: IndexRefresh | undefined;
  /** What was begun when the instance came to rest: the index is told, the alarm set. */
  #settling: Promise<void> | undefined;
  /** Reports of queued steps that are not answered yet. */
  #reports = 0;
  #commits = 0;
  /**
   * A step that takes the object with it at once, before anything of its turn is stored, would never be counted. After
   * an interruption, and where nobody but an alarm asks, what begins a step is stored before it begins.
   */
  #isCareful = false;
  #isInAlarm = false;

  constructor(ctx: DurableObjectState, env: Env, shared: Shared<Env>) {
    super(ctx, env);
    const { kv } = ctx.storage;
    this.#shared = shared;
    this.#name = ctx.id.name ?? nameInJournal(kv);
    this.#turn = new Turn(ctx, (all) => {
      this.#journal.write(all);
      this.#alarm.write();
    });
    this.#journal = new ObjectJournal(kv, this.#name, this.#turn);
    this.#alarm = new ObjectAlarm(ctx, this.#turn);
    this.#sockets = new ObjectSockets(ctx);
  }

  start(command: StartCommand) {
    return this.#answer(async () => {
      const code = this.#shared.registry.get(command.info.workflow, command.info.version);
      const driver = await this.#loadStored();
      return (await driver.submit(command, code)) as unknown as StartReply;
    });
  }

  send(request: InstanceRequest) {
    return this.#answer(async () => {
      const driver = await this.#loadStored();
      const checked = await checkRequest(driver.code, request);
      return driver.submit(checked);
    });
  }

  read() {
    return toWire(async () => {
      const { state, code } = await this.#loadStored();
      return toInstanceView(state, await loadPayloads(this.#journal, state), code === undefined);
    });
  }

  history() {
    return toWire(() => readHistory(this.#journal, this.#getParts().id));
  }

  look() {
    return toWire(async () => {
      const driver = await this.#loadStored();
      await this.#lookAfter(driver);
      return driver.state.run;
    });
  }

  claim(tokens: readonly AttemptToken[], definitions: Definitions) {
    return toWire(async () => {
      const answer = await this.#getQueue().claim(await this.#loadStored(), tokens, definitions);
      this.#armForQueue();
      return answer;
    });
  }

  heartbeat(tokens: readonly AttemptToken[]) {
    return toWire(async () => this.#getQueue().heartbeat(await this.#loadStored(), tokens));
  }

  report(run: number, reports: readonly AttemptReport[]) {
    this.#reports += 1;
    return this.#answer(async () => {
      const driver = await this.#loadStored();
      // Submitted in one turn: they share one commit.
      const answers = reports.map((report) =>
        driver.state.run === run ? driver.report(report) : Promise.resolve("ignored" as const),
      );
      return (await Promise.all(answers)) as ("recorded" | "ignored")[];
    }).finally(() => {
      this.#reports -= 1;
    });
  }

  checkpoint({ run, step, attempt }: AttemptToken, name: string, value: string | undefined) {
    return toWire(async () => {
      const driver = await this.#loadStored();
      return driver.submit({ type: "checkpoint", run, step, attempt, name, ...(value === undefined ? {} : { value }) });
    });
  }

  /** Answers once what was asked for is committed: what is written in this turn is stored before the answer leaves. */
  #answer<T>(run: () => Promise<T>): Promise<Wire<T>> {
    this.#turn.called();
    return toWire(run);
  }

  /**
   * Arms the next look, does what is due and returns without awaiting steps: while it awaits, no other alarm fires, and
   * what it throws is retried six times only.
   */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#isInAlarm = true;
    try {
      const driver = await this.#load();
      if (!this.#isAtRest(driver)) this.#alarm.armBy(this.#watchdogAt());
      await this.#lookAfter(driver);
      this.#isInAlarm = false;
      if (this.#isAtRest(driver)) await this.#settled(driver);
      else this.#alarm.armBy(this.#watchdogAt());
    } catch (error) {
      console.error("hephaestus: alarm", this.#name, error);
      // Not even the bindings may be there, after a deployment that went wrong.
      this.#alarm.armBy(Date.now() + 1 + TIMING_DEFAULT.watchdogMs);
    } finally {
      this.#isInAlarm = false;
    }
  }

  /**
   * At rest an alarm that rings needs no other to follow it: until it returns the platform repeats it. So it stays until
   * the index has answered, unless that takes so long that something else may have to ring meanwhile.
   */
  async #settled(driver: Driver): Promise<void> {
    await within(this.#getParts().timing.watchdogMs, this.#settling);
    if (this.#getIndex().isBehind) this.#settleAlarm(driver);
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") !== "websocket") return new Response("expected a WebSocket", { status: 426 });
    const { id, state } = await this.#loadStored();
    return this.#sockets.open(toStanding({ id, state }));
  }

  /** Subscribers only listen. */
  override webSocketMessage(): void {}

  override webSocketClose(socket: WebSocket, code: number): void {
    socket.close(code === 1005 ? 1000 : code);
  }

  /** What has come due, what is silent, what the index does not know yet. Nothing outside is waited for here. */
  async #lookAfter(driver: Driver): Promise<void> {
    const runsOn = !this.#isAtRest(driver);
    await this.#getQueue().lookAfter(driver);
    if (driver.code) await driver.submit({ type: "wake" });
    driver.work();
    // A run that goes on is told to the index once; at rest it is told anyway.
    if (runsOn && !this.#isAtRest(driver)) this.ctx.waitUntil(this.#getIndex().tellOfLongRun(driver));
  }

  /** What is left of a deleted instance is its tombstone, and that only as long as its commands may come again. */
  async #forget(driver: Driver): Promise<void> {
    const { id, state } = driver;
    // Until the index has dropped its row it is asked again from here.
    if (state.info !== undefined || state.revision === 0 || this.#getIndex().isBehind) return;
    while ((await this.#journal.remove(id, state.revision - 1)).more);
    if (Date.now() < state.updatedAt + COMMAND_RETENTION_MS) return;
    if (!this.#isAtRest(driver)) return;
    this.#driver = undefined;
    await this.ctx.storage.deleteAll();
    await this.#alarm.read();
  }

  /** The instance as it is stored: nothing is told of what might be lost. */
  async #loadStored(): Promise<Driver> {
    const driver = await this.#load();
    this.#turn.write();
    return driver;
  }

  async #load(): Promise<Driver> {
    if (this.#driver) return this.#driver;
    this.#loading ??= this.#loadFresh().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** A fresh object over a run that has work: inline attempts are gone; queued ones may be alive. */
  async #loadFresh(): Promise<Driver> {
    const { id, telemetry } = this.#getParts();
    const driver = await Driver.load(this.#host(), id);
    const { state, code } = driver;
    if (state.revision > 0) await this.#alarm.read();
    this.#driver = driver;
    // Whether the index knows what is stored is not: it is told once more, which costs nothing where it does.
    this.#getIndex().want(state.revision);
    const isOver = isEnded(state.status);
    if (!this.#alarm.isArmed && needsAlarm(driver)) this.#alarm.set(this.#watchdogAt());
    if (isOver) return driver;
    if (code === undefined) {
      const here = state.info && this.#shared.registry.find(state.info.workflow, state.info.version);
      telemetry?.parked(state, Date.now(), here ? "changed" : "missing");
      return driver;
    }
    const { compensate } = pendingWork(code.graph, state);
    const gone = [...this.#getQueue().takeUp(driver, code), ...(compensate === undefined ? [] : [compensate])];
    if (gone.length === 0) {
      // With no alarm nobody else would ask whether the index was told.
      if (!this.#alarm.isArmed && !this.#isInAlarm) driver.work();
      return driver;
    }
    this.#isCareful = true;
    await driver.submit({ type: "interrupted", steps: gone });
    return driver;
  }

  #host(): DriverHost {
    const { connectors, bindings, telemetry } = this.#getParts();
    const journal = this.#journal;
    const incarnation = crypto.randomUUID();
    return {
      clock: systemClock,
      random: systemRandom,
      connectors,
      telemetry,
      storage: journal,
      nonce: () => `${incarnation}.${++this.#commits}`,
      commit: (commit) => {
        // In one turn, and so in one atomic write: what the record begins is looked after before it begins.
        this.#armFor(commit.changes);
        // Where an index is to be told the alarm is needed in any case: as the first write of a turn it spares a row.
        if (bindings.index && !this.#turn.isHeld) this.#alarm.write();
        if (this.#mayBeLost(commit)) {
          this.#storing.within(this.#getParts().timing.resultsMs);
          return journal.commitLazily(commit);
        }
        const [result = "conflict"] = journal.commit([commit]);
        if (!this.#isCareful && !this.#isInAlarm) return result;
        this.#turn.write();
        return this.ctx.storage.sync().then(() => result);
      },
      registry: this.#shared.registry,
      slot: () => () => {},
      ...(bindings.queue ? { dispatch: (driver, steps) => this.#getQueue().dispatch(driver, steps) } : {}),
      runsElsewhere: (_driver, step) => this.#getQueue().mayHaveBegun(step),
      committed: (driver, changes) => this.#committed(driver, changes),
      rested: (driver) => this.#rested(driver as Driver),
      failed: (driver, error) => {
        if ((driver as Driver).closed) this.#driver = undefined;
        console.error("hephaestus:", driver.id, error);
      },
    };
  }

  /**
   * Results that start nothing wait a moment for each other, while other steps run: whoever looks has them stored first,
   * and so has what they start. With the object they are lost, and their steps run again.
   */
  #mayBeLost({ changes }: Commit): boolean {
    if (this.#isCareful || this.#isInAlarm || this.#reports > 0 || this.#sockets.any) return false;
    if (this.#getParts().timing.resultsMs === 0 || !isOnlyResults(changes)) return false;
    return this.#driver !== undefined && this.#driver.attempts.count > 0;
  }

  /** Has the alarm look after what a commit changes: timers, and work or a refresh of the index that may get lost. */
  #armFor(changes: Changes): void {
    if (!isSeenInIndex(changes)) return;
    this.#alarm.armBy(Math.min(this.#watchdogAt(), firstTimer(changes) ?? Number.POSITIVE_INFINITY));
  }

  #committed(driver: DrivenInstance, changes: Changes): void {
    this.#getQueue().committed(driver, changes);
    if (isSeenInIndex(changes)) this.#getIndex().want(driver.state.revision);
    if (this.#sockets.any) this.#sockets.tell(toChange(driver, changes));
  }

  #isAtRest(driver: Driver): boolean {
    return driver.idle && this.#getQueue().isEmpty;
  }

  /** Nothing runs in this object. What is on the queue is awaited; else the index is told, and the alarm set exactly. */
  #rested(driver: Driver): void {
    if (!driver.idle) return;
    if (!this.#isAtRest(driver)) {
      this.#armForQueue();
      return;
    }
    this.#settling = this.#settle(driver).catch((error: unknown) => {
      console.error("hephaestus: rest", driver.id, error);
    });
    this.ctx.waitUntil(this.#settling);
  }

  async #settle(driver: Driver): Promise<void> {
    await this.#getIndex().refresh(driver);
    await this.#forget(driver);
    this.#settleAlarm(driver);
    this.#turn.write();
    this.#storing.cancel();
    // The last write of background work is lost when the object is evicted before it is stored. An answer waits for it.
    if (!this.#turn.isCalled) await this.ctx.storage.sync();
  }

  /** At rest the alarm stands exactly where something comes due; before the index has answered, at its next try. */
  #settleAlarm(driver: Driver): void {
    if (!this.#isAtRest(driver) || this.#driver !== driver) return;
    const next = nextAtRest(driver, this.#getIndex(), this.#getParts().timing, Date.now());
    if (next === undefined) this.#alarm.release();
    else this.#alarm.settle(next);
  }

  /** A millisecond on, since an alarm must not be set to the time at which it rings. */
  #watchdogAt(): number {
    return Date.now() + 1 + this.#getParts().timing.watchdogMs;
  }

  #armForQueue(): void {
    const deadline = this.#getQueue().nextDeadline;
    if (deadline !== undefined) this.#alarm.armBy(deadline);
  }

  #getIndex(): IndexRefresh {
    const { bindings, timing } = this.#getParts();
    this.#refresher ??= new IndexRefresh(bindings.index, this.#journal, timing, () => this.#turn.write());
    return this.#refresher;
  }

  #getQueue(): ObjectQueue {
    this.#queue ??= new ObjectQueue(this.ctx, this.#getParts());
    return this.#queue;
  }

  #getParts(): ObjectParts {
    if (this.#parts) return this.#parts;
    if (this.#name === undefined) throw new HephaestusError("STORAGE_CORRUPT", "this object has no name");
    const { options, telemetry } = this.#shared;
    this.#parts = makeParts(options, this.env, objectAddress(this.#name), telemetry());
    return this.#parts;
  }
}
