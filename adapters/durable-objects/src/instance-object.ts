import { DurableObject } from "cloudflare:workers";
import {
  type AttemptReport,
  attemptInput,
  type Changes,
  COMMAND_RETENTION_MS,
  type Code,
  checkRequest,
  type DrivenInstance,
  Driver,
  type DriverHost,
  HephaestusError,
  type InstanceRequest,
  isEnded,
  loadPayloads,
  makeRegistry,
  pendingWork,
  type Registry,
  type RunState,
  readHistory,
  type StartCommand,
  type StartReply,
  type Storage,
  systemClock,
  systemRandom,
  toChange,
  toInstanceView,
} from "@hephaestus/core";
import { IndexRefresh, isSeenInIndex } from "./index-refresh.ts";
import { objectJournal } from "./journal.ts";
import { ObjectAlarm } from "./object-alarm.ts";
import type { AttemptToken, Definitions, ObjectApi } from "./object-api.ts";
import { makeParts, type ObjectParts } from "./object-parts.ts";
import type { EdgeOptions } from "./options.ts";
import { isQueued, sendSteps } from "./queued-steps.ts";
import { toWire } from "./wire.ts";

/**
 * The object of one instance: its single writer. It drives the instance from its own journal; one alarm serves all its
 * timers, looks after what runs, and repeats the refresh of the index until that has answered.
 */
export class InstanceObject<Env> extends DurableObject<Env> implements ObjectApi {
  readonly #options: EdgeOptions<Env>;
  readonly #registry: Registry;
  readonly #journal: Storage;
  #loading: Promise<Driver> | undefined;
  #driver: Driver | undefined;
  #parts: ObjectParts | undefined;
  #commits = 0;
  readonly #alarm: ObjectAlarm;
  #refresher: IndexRefresh | undefined;

  constructor(ctx: DurableObjectState, env: Env, options: EdgeOptions<Env>, registry: Registry) {
    super(ctx, env);
    this.#options = options;
    this.#registry = registry;
    this.#journal = objectJournal(ctx.storage.kv);
    this.#alarm = new ObjectAlarm(ctx);
  }

  start(id: string, command: StartCommand) {
    return toWire(async () => {
      const code = this.#registry.get(command.info.workflow, command.info.version);
      const driver = await this.#load(id);
      return (await driver.submit(command, code)) as unknown as StartReply;
    });
  }

  send(id: string, request: InstanceRequest) {
    return toWire(async () => {
      const driver = await this.#load(id);
      return driver.submit(await checkRequest(driver.code, request));
    });
  }

  read(id: string) {
    return toWire(async () => {
      const { state, code } = await this.#load(id);
      return toInstanceView(state, await loadPayloads(this.#journal, state), code === undefined);
    });
  }

  history(id: string) {
    return toWire(() => readHistory(this.#journal, id));
  }

  claim(id: string, tokens: readonly AttemptToken[], definitions: Definitions) {
    return toWire(async () => {
      const driver = await this.#load(id);
      const { queued } = this.#getParts();
      const known = definitions.some(
        (one) => one.fingerprint === driver.state.fingerprint && one.workflow === driver.state.info?.workflow,
      );
      const inputs = tokens.map(async ({ run, step, attempt }) => {
        const definition = driver.code?.steps.get(step);
        if (!known || !definition || !isCurrent(driver.state, { run, step, attempt })) return undefined;
        if (driver.state.paused && !queued.isClaimed(step)) {
          // It has not begun: it is held back until the run goes on, and sent again then.
          await driver.submit({ type: "aborted", run, step, attempt, begun: false });
          return undefined;
        }
        if (!queued.claim(step, attempt, Date.now())) return undefined;
        return attemptInput(driver, definition);
      });
      const answer = await Promise.all(inputs);
      this.#armForQueue();
      return answer;
    });
  }

  heartbeat(id: string, tokens: readonly AttemptToken[]) {
    return toWire(async () => {
      const { state } = await this.#load(id);
      return tokens.map((token) => {
        const wanted = isCurrent(state, token);
        if (wanted) this.#getParts().queued.heartbeat(token.step, token.attempt, Date.now());
        return wanted && state.ending === undefined;
      });
    });
  }

  report(id: string, run: number, reports: readonly AttemptReport[]) {
    return toWire(async () => {
      const driver = await this.#load(id);
      // Submitted in one turn: they share one commit.
      const answers = reports.map((report) =>
        driver.state.run === run ? driver.report(report) : Promise.resolve("ignored" as const),
      );
      return (await Promise.all(answers)) as ("recorded" | "ignored")[];
    });
  }

  checkpoint(id: string, { run, step, attempt }: AttemptToken, name: string, value: string | undefined) {
    return toWire(async () => {
      const driver = await this.#load(id);
      if (driver.state.run !== run) return "ignored";
      return driver.submit({ type: "checkpoint", step, attempt, name, ...(value === undefined ? {} : { value }) });
    });
  }

  /**
   * Arms the next look first, then does what is due and returns without awaiting steps: while it awaits, no other
   * alarm fires, and what it throws is retried six times only.
   */
  override async alarm(): Promise<void> {
    const { timing } = this.#getParts();
    try {
      this.#alarm.set(Date.now() + 1 + timing.watchdogMs);
      await this.#lookAfter(await this.#load(undefined));
    } catch (error) {
      console.error("hephaestus: alarm", error);
    }
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") !== "websocket") return new Response("expected a WebSocket", { status: 426 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const { id, state } = await this.#load(undefined);
    server.send(JSON.stringify(toChange({ id, state }, state.updatedAt, Object.fromEntries(state.steps))));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Subscribers only listen. */
  override webSocketMessage(): void {}

  override webSocketClose(socket: WebSocket, code: number): void {
    socket.close(code === 1005 ? 1000 : code);
  }

  /** What has come due, what is silent, what the index does not know yet. Nothing outside is waited for here. */
  async #lookAfter(driver: Driver): Promise<void> {
    await this.#lookAfterQueue(driver);
    if (driver.code) await driver.submit({ type: "wake" });
    driver.work();
    // A run that goes on is told to the index once; at rest it is told anyway.
    if (!this.#isAtRest(driver)) this.ctx.waitUntil(this.#getIndex().tellOfLongRun(driver));
  }

  async #lookAfterQueue(driver: Driver): Promise<void> {
    const { queued } = this.#getParts();
    queued.prune(driver);
    const { resend, interrupted } = queued.takeOverdue(Date.now());
    if (interrupted.length > 0) await driver.submit({ type: "interrupted", steps: interrupted });
    if (resend.length > 0) this.#sendToQueue(driver, resend);
  }

  /** What is left of a deleted instance is its tombstone, and that only as long as its commands may come again. */
  async #forget({ id, state }: Driver): Promise<void> {
    while ((await this.#journal.remove(id, state.revision - 1)).more);
    if (Date.now() < state.updatedAt + COMMAND_RETENTION_MS) return;
    await this.ctx.storage.deleteAll();
    this.#driver = undefined;
  }

  async #load(id: string | undefined): Promise<Driver> {
    if (this.#driver) return this.#driver;
    this.#loading ??= this.#loadFresh(id ?? this.#ownId()).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** A fresh object over a run that has work: inline attempts are gone; queued ones may be alive. */
  async #loadFresh(id: string): Promise<Driver> {
    const driver = await Driver.load(this.#host(), id);
    await this.#alarm.read();
    this.#driver = driver;
    const { state, code } = driver;
    // Whether the index knows what is stored is not: it is told once more, which costs nothing where it does.
    this.#getIndex().want(state.revision);
    if (code === undefined || isEnded(state.status)) return driver;
    const { bindings, queued } = this.#getParts();
    const active = [...state.open].filter((name) => {
      const step = state.steps.get(name);
      return step?.status === "active" && step.wakeAt === undefined;
    });
    const elsewhere = bindings.queue ? active.filter((name) => isQueued(code, name)) : [];
    queued.await(elsewhere, driver, Date.now());
    const { compensate } = pendingWork(code.graph, state);
    const gone = [
      ...active.filter((name) => !elsewhere.includes(name)),
      ...(compensate === undefined ? [] : [compensate]),
    ];
    if (gone.length > 0) await driver.submit({ type: "interrupted", steps: gone });
    if (!this.#alarm.isArmed) this.#alarm.set(Date.now() + this.#getParts().timing.watchdogMs);
    return driver;
  }

  /** The instance's id, which is the object's name. */
  #ownId(): string {
    const name = this.ctx.id.name;
    if (name === undefined) throw new HephaestusError("STORAGE_CORRUPT", "this object has no name");
    return name;
  }

  #host(): DriverHost {
    const { connectors, bindings } = this.#getParts();
    const journal = this.#journal;
    const incarnation = crypto.randomUUID();
    return {
      clock: systemClock,
      random: systemRandom,
      connectors,
      storage: journal,
      nonce: () => `${incarnation}.${++this.#commits}`,
      commit: async (commit) => {
        // In one turn, and so in one atomic write: what the record begins is looked after before it begins.
        this.#armFor(commit.changes);
        const [result = "conflict"] = await journal.commit([commit]);
        return result;
      },
      codeOf: (state) => this.#codeOf(state),
      slot: () => () => {},
      ...(bindings.queue ? { dispatch: (driver, steps) => this.#dispatch(driver, steps) } : {}),
      runsElsewhere: (_driver, step) => this.#getParts().queued.has(step),
      committed: (driver, changes) => this.#committed(driver, changes),
      rested: (driver) => this.#rested(driver as Driver),
      failed: (driver, error) => {
        if ((driver as Driver).closed) this.#driver = undefined;
        console.error("hephaestus:", driver.id, error);
      },
    };
  }

  #codeOf({ info, fingerprint }: RunState): Code | undefined {
    const code = info && this.#registry.find(info.workflow, info.version);
    return code?.graph.fingerprint === fingerprint ? code : undefined;
  }

  /** Has the alarm look after what a commit changes: timers, and work or a refresh of the index that may get lost. */
  #armFor(changes: Changes): void {
    if (!isSeenInIndex(changes)) return;
    const timers = Object.values(changes.steps ?? {}).flatMap(({ wakeAt, compensation }) => [
      wakeAt,
      compensation?.wakeAt,
    ]);
    const times = [Date.now() + this.#getParts().timing.watchdogMs, changes.ending?.until, ...timers];
    this.#alarm.armBy(Math.min(...times.filter((time) => time !== undefined)));
  }

  #committed(driver: DrivenInstance, changes: Changes): void {
    this.#getParts().queued.prune(driver);
    if (isSeenInIndex(changes)) this.#getIndex().want(driver.state.revision);
    const sockets = this.ctx.getWebSockets();
    if (sockets.length === 0) return;
    const text = JSON.stringify(toChange(driver, changes.at, changes.steps ?? {}));
    for (const socket of sockets) socket.send(text);
  }

  #dispatch(driver: DrivenInstance, steps: readonly string[]): readonly string[] {
    const { code } = driver;
    if (code === undefined) return [];
    const { queued } = this.#getParts();
    const elsewhere = steps.filter((name) => isQueued(code, name));
    this.#sendToQueue(
      driver,
      elsewhere.filter((name) => !queued.has(name)),
    );
    return elsewhere;
  }

  #sendToQueue(driver: DrivenInstance, steps: readonly string[]): void {
    const { bindings, queued } = this.#getParts();
    if (steps.length === 0 || bindings.queue === undefined) return;
    const messages = steps.map((step) => {
      const attempt = driver.state.steps.get(step)?.attempt ?? 1;
      queued.sent(step, attempt, Date.now());
      return { object: driver.id, run: driver.state.run, step, attempt };
    });
    // A message that could not be sent is one that is not claimed in time.
    const sent = sendSteps(bindings.queue, messages).catch((error: unknown) =>
      console.error("hephaestus: queue", error),
    );
    this.ctx.waitUntil(sent);
  }

  #isAtRest(driver: Driver): boolean {
    return driver.idle && this.#getParts().queued.size === 0;
  }

  /** Nothing runs in this object. What is on the queue is awaited; else the index is told, and the alarm set exactly. */
  #rested(driver: Driver): void {
    if (!driver.idle) return;
    if (!this.#isAtRest(driver)) {
      this.#armForQueue();
      return;
    }
    const settled = this.#getIndex()
      .refresh(driver)
      .then(() => (driver.state.info === undefined && driver.state.revision > 0 ? this.#forget(driver) : undefined))
      .then(() => this.#settleAlarm(driver))
      // The last write of background work is lost when the object is evicted before it is stored.
      .then(() => this.ctx.storage.sync())
      .catch((error: unknown) => console.error("hephaestus: rest", driver.id, error));
    this.ctx.waitUntil(settled);
  }

  /** At rest the alarm stands exactly where something comes due; before the index has answered, at its next try. */
  #settleAlarm(driver: Driver): void {
    if (!this.#isAtRest(driver) || this.#driver !== driver) return;
    const { timing } = this.#getParts();
    const { state } = driver;
    const now = Date.now();
    const times: number[] = [];
    if (this.#getIndex().isBehind) times.push(now + timing.refreshMs);
    if (driver.nextWake !== undefined) times.push(driver.nextWake);
    if (driver.code === undefined && state.info) times.push(now + timing.parkedMs);
    if (state.info === undefined && state.revision > 0) times.push(state.updatedAt + COMMAND_RETENTION_MS);
    this.#alarm.set(times.length === 0 ? null : Math.max(Math.min(...times), now + 1));
  }

  #armForQueue(): void {
    const deadline = this.#getParts().queued.nextDeadline;
    if (deadline !== undefined) this.#alarm.armBy(deadline);
  }

  #getIndex(): IndexRefresh {
    this.#refresher ??= new IndexRefresh(this.#getParts().bindings.index);
    return this.#refresher;
  }

  #getParts(): ObjectParts {
    this.#parts ??= makeParts(this.#options, this.env);
    return this.#parts;
  }
}

function isCurrent(state: RunState, { run, step, attempt }: AttemptToken): boolean {
  const current = state.steps.get(step);
  const isOpen = current?.status === "active" && current.wakeAt === undefined;
  return state.run === run && isOpen && (current.attempt ?? 1) === attempt;
}

/**
 * Makes the object's class from the workflows.
 * @example export class WorkflowInstance extends instanceObject<Env>({ workflows, bindings }) {}
 */
export function instanceObject<Env>(
  options: EdgeOptions<Env>,
): new (
  ctx: DurableObjectState,
  env: Env,
) => InstanceObject<Env> {
  const registry = makeRegistry(options.workflows);
  return class extends InstanceObject<Env> {
    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env, options, registry);
    }
  };
}
