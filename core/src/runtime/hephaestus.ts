import { type Duration, durationMs } from "../definition/duration.ts";
import { HephaestusError } from "../definition/errors.ts";
import { encodePayload, type Json } from "../definition/json.ts";
import { instanceIdOf } from "../definition/key.ts";
import { parsePayload } from "../definition/schema.ts";
import type { AnyStep, Connectors } from "../definition/step.ts";
import type { Sendable, TimerEvent, WaiterOf } from "../definition/taken-events.ts";
import type { Edges, Unique } from "../definition/transitions.ts";
import type { AnyVersions } from "../definition/versions.ts";
import type { AnyWorkflow } from "../definition/workflow.ts";
import type { Writable } from "../definition/writable.ts";
import type { EventReply, StartCommand, StartReply } from "../engine/commands.ts";
import { notFound } from "../engine/refuse.ts";
import { isEnded } from "../engine/run-state.ts";
import type { TelemetryBus } from "../telemetry/bus.ts";
import { type CommandOptions, checkId, commandOf, runInfo, type StartOptions, startedId } from "./caller-options.ts";
import { type Clock, makeId, type Random, systemClock, systemRandom } from "./clock.ts";
import type { HistoryEntry } from "./history.ts";
import type { InstanceView } from "./instance-view.ts";
import { type LocalRunnerOptions, type LocalRunnerPorts, localRunner } from "./local-runner.ts";
import { memoryStorage } from "./memory-storage.ts";
import { type Code, makeRegistry, type Registry } from "./registry.ts";
import type { InstanceChange, InstanceRequest, Runner } from "./runner.ts";
import type { InstanceFilter, InstanceSummary, Page, Storage } from "./storage.ts";
import { fromStoredError } from "./stored-error.ts";
import { TransientMap } from "./transient-map.ts";

export interface HephaestusOptions {
  readonly workflows: readonly (AnyWorkflow | AnyVersions)[];
  /** Where instances are kept; this process's memory unless said otherwise. */
  readonly storage?: Storage;
  /** What drives them; the local runner unless said otherwise. It is given the rest of the options. */
  readonly runner?: (ports: LocalRunnerPorts) => Runner;
  /** Options of the local runner, where `runner` is not given. */
  readonly local?: LocalRunnerOptions;
  readonly connectors?: Partial<Connectors>;
  /** Where handlers listen: `telemetryBus()`. */
  readonly telemetry?: TelemetryBus;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ResumeOptions<Step extends string = string> extends CommandOptions {
  /** Only this step may take the event. */
  readonly step?: Step;
}

export interface ScheduleOptions<Event extends string = string> extends CommandOptions {
  /** Which event the step ends with, where it has several and none of them is `timeout`. */
  readonly event?: Event;
}

/** What can be done with one instance. `Target` is how it is named: by key, by id, or not at all. */
interface InstanceControls<Target extends readonly unknown[]> {
  get(...args: Target): Promise<InstanceView>;
  history(...args: Target): Promise<readonly HistoryEntry[]>;
  subscribe(...args: [...Target, listener: (change: InstanceChange) => void]): () => void;
  cancel(...args: [...Target, options?: CommandOptions]): Promise<void>;
  pause(...args: [...Target, options?: CommandOptions]): Promise<void>;
  unpause(...args: [...Target, options?: CommandOptions]): Promise<void>;
  retry(...args: [...Target, options?: CommandOptions]): Promise<void>;
  adopt(...args: [...Target, options?: CommandOptions]): Promise<void>;
  delete(...args: [...Target, options?: CommandOptions]): Promise<void>;
}

/** What can be done with an instance of any workflow: which events it takes, only the engine knows. */
export interface InstanceActions<Target extends readonly unknown[]> extends InstanceControls<Target> {
  /** Sends an event. @throws HephaestusError EVENT_NOT_EXPECTED, EVENT_UNDECLARED, PAYLOAD_INVALID, STATUS_REFUSES */
  resume(...args: [...Target, event: string, payload?: unknown, options?: ResumeOptions]): Promise<EventReply>;
  /**
   * Gives a waiting step a time at which it ends with an event: `timeout` if it has one, its only one, or the one named.
   * This takes the place of the timer that it has, of its own timeout too: what was said last holds, sooner or later.
   * @throws HephaestusError EVENT_NOT_EXPECTED, EVENT_UNDECLARED, UNKNOWN_STEP, OPTION_INVALID, STATUS_REFUSES
   */
  scheduleResume(...args: [...Target, step: string, delay: Duration, options?: ScheduleOptions]): Promise<void>;
}

/** What can be done with an instance of a workflow, of which these steps may wait. */
export interface TypedActions<Target extends readonly unknown[], Waiter extends AnyStep>
  extends InstanceControls<Target> {
  /**
   * Sends an event that one of the steps takes, with the payload that it declares; `step` among the options narrows both.
   * @throws HephaestusError EVENT_NOT_EXPECTED, STATUS_REFUSES, PAYLOAD_INVALID
   * @example await orders.resume("abc123", "payment_confirmed", { amount: 4999 });
   */
  resume<
    Event extends keyof Sendable<Waiter> & string,
    Step extends keyof Sendable<Waiter>[Event] & string = keyof Sendable<Waiter>[Event] & string,
  >(...args: [...Target, event: Event, ...ResumeArguments<Sendable<Waiter>[Event][Step], Step>]): Promise<EventReply>;
  /**
   * Gives a waiting step a time at which it ends with an event: `timeout` if it has one, its only one, or the one named.
   * This takes the place of the timer that it has, of its own timeout too: what was said last holds, sooner or later.
   * @throws HephaestusError EVENT_NOT_EXPECTED, OPTION_INVALID, STATUS_REFUSES
   * @example await orders.scheduleResume("abc123", "payment", { days: 3 }, { event: "withdrawn" });
   */
  scheduleResume<Step extends Waiter["name"]>(
    ...args: [...Target, step: Step, delay: Duration, options?: ScheduleOptions<TimerEvent<Waiter, Step>>]
  ): Promise<void>;
}

/** A payload that may be undefined may be left out. */
type ResumeArguments<Payload, Step extends string> = [
  ...(undefined extends Payload ? [payload?: Payload] : [payload: Payload]),
  options?: ResumeOptions<Step>,
];

/** One run of a workflow, as `start` answers it. */
export interface StartedInstance<Output, Waiter extends AnyStep = AnyStep> extends TypedActions<[], Waiter> {
  readonly id: string;
  readonly run: number;
  /** Waits for the end. @throws HephaestusError RUN_FAILED with the step and its error as cause, or CANCELLED */
  result(): Promise<Output>;
}

type Starts<Input, Output, Keyed, Waiter extends AnyStep> = Keyed extends Unique
  ? { start(key: string, input: Input, options?: StartOptions): Promise<StartedInstance<Output, Waiter>> }
  : { start(input: Input, options?: StartOptions): Promise<StartedInstance<Output, Waiter>> };

/** A workflow bound to an engine: its instances are named by key, or by id where it has no `unique`. */
export type WorkflowHandle<Input, Output, Keyed, Waiter extends AnyStep = AnyStep> = Starts<
  Input,
  Output,
  Keyed,
  Waiter
> &
  TypedActions<[key: string], Waiter> & {
    result(key: string): Promise<Output>;
    /** Starts the next run of a key that has ended, with the same input unless given. */
    restart(key: string, options?: StartOptions & { readonly input?: Input }): Promise<StartedInstance<Output, Waiter>>;
    list(filter?: Omit<InstanceFilter, "workflow">): Promise<Page<InstanceSummary>>;
    /** The id that a key stands for. */
    idOf(key: string): string;
  };

/** The handle of a workflow, of its versions, or of one of several workflows. */
type HandleOf<W extends AnyWorkflow | AnyVersions> = [W] extends [
  {
    readonly "~input"?: (input: infer Input) => void;
    readonly "~output"?: infer Output;
    readonly "~keyed"?: infer Keyed;
    readonly "~transitions"?: infer Transitions extends readonly Edges[];
  },
]
  ? WorkflowHandle<Input, Output, Keyed, WaiterOf<Transitions[number]["step"]>>
  : never;

export interface StartRequest extends StartOptions {
  readonly key?: string;
}

/** An engine. Several in one process share nothing. */
export interface Hephaestus extends InstanceActions<[id: string]> {
  for<W extends AnyWorkflow | AnyVersions>(workflow: W): HandleOf<W>;
  /** Starts a workflow by its name. @throws HephaestusError UNKNOWN_WORKFLOW, KEY_INVALID, INPUT_INVALID, ALREADY_RUNNING */
  start(workflow: string, input: unknown, request?: StartRequest): Promise<StartedInstance<unknown>>;
  result(id: string): Promise<unknown>;
  restart(id: string, options?: StartOptions & { readonly input?: unknown }): Promise<StartedInstance<unknown>>;
  list(filter?: InstanceFilter): Promise<Page<InstanceSummary>>;
  /** The id that a key of a workflow stands for. */
  idOf(workflow: string, key: string, version?: number): string;
  readonly registry: Registry;
  close(): Promise<void>;
}

/**
 * Makes an engine.
 * @example
 * const hephaestus = createHephaestus({ workflows: [orderFlow] });
 * const order = await hephaestus.for(orderFlow).start("abc123", { items });
 */
export function createHephaestus(options: HephaestusOptions): Hephaestus {
  const { clock = systemClock, random = systemRandom, storage = memoryStorage() } = options;
  const registry = makeRegistry(options.workflows);
  const connectors = (options.connectors ?? {}) as Connectors;
  const ports: LocalRunnerPorts = { storage, registry, clock, random, connectors, telemetry: options.telemetry };
  /** Those who wait for the end of a run. */
  const waiting = new TransientMap<object, (error: unknown) => void>();
  const newId = (): string => makeId(clock.now(), random);
  const runner = options.runner ? options.runner(ports) : localRunner(ports, options.local);

  async function startRun(code: Code, key: string | undefined, input: unknown, given: StartOptions) {
    const { definition } = code;
    const parsed = parsePayload(definition.input, input, `input of workflow "${definition.name}"`, "INPUT_INVALID");
    const text = parsed instanceof Promise ? await parsed : parsed;
    const named = commandOf(given, newId);
    return startEncoded(code, key, text, given, named, startedId(code, key, named.commandId));
  }

  async function startEncoded(
    code: Code,
    key: string | undefined,
    input: string | undefined,
    given: StartOptions,
    named: Pick<StartCommand, "commandId" | "durability">,
    id: string,
  ): Promise<StartedInstance<Record<string, Json>>> {
    const command: Writable<StartCommand> = { type: "start", ...named, info: runInfo(code, key, given) };
    if (input !== undefined) command.input = input;
    const { run } = await runner.start(checkId(id), command);
    return startedInstance(id, run);
  }

  function startedInstance(id: string, run: number): StartedInstance<Record<string, Json>> {
    const actions = bind<[]>(() => id, 0);
    return Object.assign(actions as StartedInstance<never>, { id, run, result: async () => resultOf(await ended(id)) });
  }

  function control(type: "pause" | "unpause" | "cancel" | "retry" | "adopt" | "delete") {
    return async (id: string, options: CommandOptions = {}) => {
      await runner.send(checkId(id), { type, ...commandOf(options, newId) });
    };
  }

  async function get(id: string): Promise<InstanceView> {
    const view = await runner.read(checkId(id));
    if (view) return view;
    throw notFound(id);
  }

  /** The engine's actions by id: everything else is these under another name of the instance. */
  const actions: InstanceActions<[id: string]> = {
    async resume(id, event, payload, options = {}) {
      const text = encodePayload(payload, `payload of event ${JSON.stringify(event)}`);
      const request: InstanceRequest = {
        type: "event",
        ...commandOf(options, newId),
        event: String(event),
        ...(text === undefined ? {} : { payload: text }),
        ...(options.step === undefined ? {} : { step: options.step }),
      };
      return (await runner.send(checkId(id), request)) as EventReply;
    },
    async scheduleResume(id, step, delay, options = {}) {
      const delayMs = durationMs(delay, "delay");
      const { event } = options;
      const request: InstanceRequest = { type: "schedule", ...commandOf(options, newId), step, delayMs };
      await runner.send(checkId(id), event === undefined ? request : { ...request, event });
    },
    get,
    async history(id) {
      const entries = await runner.history(checkId(id));
      if (entries.length > 0) return entries;
      throw notFound(id);
    },
    subscribe: (id, listener) => runner.subscribe(checkId(id), listener),
    cancel: control("cancel"),
    pause: control("pause"),
    unpause: control("unpause"),
    retry: control("retry"),
    adopt: control("adopt"),
    delete: control("delete"),
  };

  async function result(id: string): Promise<Record<string, Json>> {
    const view = await get(id);
    return resultOf(isEnded(view.status) ? view : await ended(id, view.revision));
  }

  function resultOf(view: InstanceView): Record<string, Json> {
    const { id } = view;
    if (view.status === "failed") {
      const { failedStep, error } = view;
      const message = `${id} failed${failedStep === undefined ? "" : ` at ${failedStep}`}: ${error?.message}`;
      const cause = error && fromStoredError(error);
      throw new HephaestusError("RUN_FAILED", message, { id, step: failedStep, code: error?.code }, { cause });
    }
    if (view.status === "cancelled") throw new HephaestusError("CANCELLED", `${id} was cancelled`, { id });
    const output: Record<string, Json> = {};
    for (const { name } of registry.get(view.workflow, view.version).definition.output) {
      const value = view.steps[name]?.result;
      if (value !== undefined) output[name] = value;
    }
    return output;
  }

  /**
   * Waits for the end of an instance that there is.
   * @param since what was seen already: a runner that hears late of its own commit may tell of an end before that
   */
  function ended(id: string, since = 0): Promise<InstanceView> {
    return new Promise((resolve, reject) => {
      const waiter = {};
      const stop = () => {
        unsubscribe();
        waiting.delete(waiter);
      };
      waiting.set(waiter, reject);
      const unsubscribe = runner.subscribe(id, (change) => {
        if (!isEnded(change.status) || change.revision < since) return;
        get(id).then(
          (view) => {
            // By now it may have been retried, or started again.
            if (!isEnded(view.status)) return;
            stop();
            resolve(view);
          },
          (error: unknown) => {
            stop();
            reject(error);
          },
        );
      });
    });
  }

  async function close(): Promise<void> {
    await runner.close();
    // Nobody will tell them any more.
    for (const reject of waiting.values()) reject(new HephaestusError("CLOSED", "this engine is closed"));
    waiting.clear();
  }

  async function restart(id: string, given: StartOptions & { readonly input?: unknown } = {}) {
    const named = commandOf(given, newId);
    const view = await runner.read(checkId(id));
    if (view === undefined) {
      // It may have been deleted after it was started anew by this very restart.
      const { run } = (await runner.send(id, { type: "restart", ...named })) as unknown as StartReply;
      return startedInstance(id, run);
    }
    const { workflow, version, key, input } = view;
    const code = registry.get(workflow, version);
    const what = `input of workflow "${workflow}"`;
    const text = await parsePayload(code.definition.input, given.input ?? input, what, "INPUT_INVALID");
    // The same restart again finds the run that it made; only the engine knows.
    return startEncoded(code, key, text, given, named, id).catch((error: unknown) => {
      if (!(error instanceof HephaestusError) || error.code !== "ALREADY_RUNNING") throw error;
      throw new HephaestusError("STATUS_REFUSES", `${error.message}: it refuses restart`, error.details);
    });
  }

  /**
   * The actions with the instance named already, or by what its id follows from.
   * @param named how many arguments name it
   */
  function bind<Target extends readonly unknown[]>(
    idOf: (...target: Target) => string,
    named: Target["length"],
  ): InstanceActions<Target> {
    type Args = readonly unknown[];
    const bound =
      (action: (id: string, ...rest: never[]) => unknown) =>
      (...args: Args): unknown =>
        action(idOf(...(args.slice(0, named) as unknown as Target)), ...(args.slice(named) as never[]));
    return {
      resume: bound(actions.resume),
      scheduleResume: bound(actions.scheduleResume),
      get: bound(actions.get),
      history: bound(actions.history),
      subscribe: bound(actions.subscribe),
      cancel: bound(actions.cancel),
      pause: bound(actions.pause),
      unpause: bound(actions.unpause),
      retry: bound(actions.retry),
      adopt: bound(actions.adopt),
      delete: bound(actions.delete),
    } as InstanceActions<Target>;
  }

  return {
    ...actions,
    for(workflow) {
      // Of several versions, each start gets its own; keys and ids are the same for all of them.
      const version = "version" in workflow ? workflow.version : undefined;
      const code = registry.get(workflow.name, version);
      const codeFor = (key: string | undefined, input: unknown, { version: asked = version }: StartOptions) =>
        registry.get(workflow.name, asked, { ...(key === undefined ? {} : { key }), input });
      const { unique } = code.definition;
      const named = (key: string) => (unique && unique.scope !== "none" ? instanceIdOf(code.definition, key) : key);
      const handle = {
        ...bind<[key: string]>(named, 1),
        start: unique
          ? async (key: string, input: unknown, given: StartOptions = {}) =>
              startRun(codeFor(key, input, given), key, input, given)
          : async (input: unknown, given: StartOptions = {}) =>
              startRun(codeFor(undefined, input, given), undefined, input, given),
        result: (key: string) => result(named(key)),
        restart: (key: string, given?: StartOptions) => restart(named(key), given),
        list: (filter: InstanceFilter = {}) => runner.list({ ...filter, workflow: workflow.name }),
        idOf: named,
      };
      return handle as unknown as WorkflowHandle<never, never, never>;
    },
    async start(workflow, input, { key, ...given } = {}) {
      return startRun(
        registry.get(workflow, given.version, { ...(key === undefined ? {} : { key }), input }),
        key,
        input,
        given,
      );
    },
    result,
    restart,
    list: (filter = {}) => runner.list(filter),
    idOf: (workflow, key, version) => instanceIdOf(registry.get(workflow, version).definition, key),
    registry,
    close,
  };
}
