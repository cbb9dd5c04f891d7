import { type Duration, durationMs } from "../definition/duration.ts";
import { HephaestusError } from "../definition/errors.ts";
import { encodePayload, type Json } from "../definition/json.ts";
import { INSTANCE_ID_LENGTH_MAX, instanceIdOf } from "../definition/key.ts";
import { parsePayload } from "../definition/schema.ts";
import type { Connectors } from "../definition/step.ts";
import type { Unique } from "../definition/transitions.ts";
import { assertTags } from "../definition/validate.ts";
import type { AnyVersions, Versions } from "../definition/versions.ts";
import type { AnyWorkflow, Workflow } from "../definition/workflow.ts";
import type { EventReply, StartCommand } from "../engine/commands.ts";
import { COMMAND_ID_LENGTH_MAX } from "../engine/limits.ts";
import { isEnded } from "../engine/run-state.ts";
import type { TelemetryBus } from "../telemetry/bus.ts";
import { type Clock, makeId, type Random, systemClock, systemRandom } from "./clock.ts";
import type { HistoryEntry } from "./history.ts";
import type { InstanceView } from "./instance-view.ts";
import { type LocalRunnerOptions, type LocalRunnerPorts, localRunner } from "./local-runner.ts";
import { memoryStorage } from "./memory-storage.ts";
import { type Code, makeRegistry, type Registry } from "./registry.ts";
import type { InstanceChange, InstanceRequest, Runner } from "./runner.ts";
import type { InstanceFilter, InstanceSummary, Page, Storage } from "./storage.ts";
import { fromStoredError } from "./stored-error.ts";

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

/** What can be asked of any command. */
interface CommitOptions {
  /**
   * `strict`: answered only when the disk has it, so that even a crash of the machine loses nothing of it. Otherwise as
   * the storage does it; only IndexedDB makes a difference.
   */
  readonly durability?: "strict";
}

export interface StartOptions extends CommitOptions {
  /** Names this start: the same id again finds the run that it made. */
  readonly id?: string;
  readonly tags?: readonly string[];
  readonly metadata?: { readonly [name: string]: Json };
  /** The id of the instance that starts this one: `list({ parent })` finds it by that. */
  readonly parent?: string;
  /** Told with every telemetry event of the run: a request id, a trace. */
  readonly telemetry?: { readonly [name: string]: Json };
  /** Of several versions of the workflow, this one. */
  readonly version?: number;
}

export interface CommandOptions extends CommitOptions {
  /** Names this command: the same id again is answered like the first, and does nothing. */
  readonly id?: string;
}

export interface ResumeOptions extends CommandOptions {
  /** Only this step may take the event. */
  readonly step?: string;
}

/** What can be done with one instance. `Target` is how it is named: by key, by id, or not at all. */
export interface InstanceActions<Target extends readonly unknown[]> {
  /** Sends an event. @throws HephaestusError EVENT_NOT_EXPECTED, EVENT_UNDECLARED, PAYLOAD_INVALID, STATUS_REFUSES */
  resume(...args: [...Target, event: string, payload?: unknown, options?: ResumeOptions]): Promise<EventReply>;
  /** Sets the timer of a waiting step, which then ends with an event; its only one unless named. */
  scheduleResume(
    ...args: [...Target, step: string, delay: Duration, options?: CommandOptions & { readonly event?: string }]
  ): Promise<void>;
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

/** One run of a workflow, as `start` answers it. */
export interface StartedInstance<Output> extends InstanceActions<[]> {
  readonly id: string;
  readonly run: number;
  /** Waits for the end. @throws HephaestusError RUN_FAILED with the step and its error as cause, or CANCELLED */
  result(): Promise<Output>;
}

type Starts<Input, Output, Keyed> = Keyed extends Unique
  ? { start(key: string, input: Input, options?: StartOptions): Promise<StartedInstance<Output>> }
  : { start(input: Input, options?: StartOptions): Promise<StartedInstance<Output>> };

/** A workflow bound to an engine: its instances are named by key, or by id where it has no `unique`. */
export type WorkflowHandle<Input, Output, Keyed> = Starts<Input, Output, Keyed> &
  InstanceActions<[key: string]> & {
    result(key: string): Promise<Output>;
    /** Starts the next run of a key that has ended, with the same input unless given. */
    restart(key: string, options?: StartOptions & { readonly input?: Input }): Promise<StartedInstance<Output>>;
    list(filter?: Omit<InstanceFilter, "workflow">): Promise<Page<InstanceSummary>>;
    /** The id that a key stands for. */
    idOf(key: string): string;
  };

export interface StartRequest extends StartOptions {
  readonly key?: string;
}

/** An engine. Several in one process share nothing. */
export interface Hephaestus extends InstanceActions<[id: string]> {
  for<Name extends string, Input, Output, Keyed extends Unique | undefined>(
    workflow: Workflow<Name, Input, Output, Keyed> | Versions<Name, Input, Output, Keyed>,
  ): WorkflowHandle<Input, Output, Keyed>;
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
  const runner = options.runner ? options.runner(ports) : localRunner(ports, options.local);
  const newId = () => makeId(clock.now(), random);

  async function startRun(code: Code, key: string | undefined, input: unknown, given: StartOptions) {
    const { definition, graph } = code;
    const text = await parsePayload(definition.input, input, `input of workflow "${definition.name}"`, "INPUT_INVALID");
    return startEncoded(code, key, text, given, idOf(definition.unique, graph.workflow, key, code, given));
  }

  /** Where no key says which instance is meant, the start's own id does: sent again, it finds what it started. */
  function idOf(
    unique: Unique | undefined,
    workflow: string,
    key: string | undefined,
    code: Code,
    { id }: StartOptions,
  ): string {
    if (unique && key === undefined) {
      throw new HephaestusError("KEY_INVALID", `workflow ${workflow} needs a key: ${unique.key}`, { field: "key" });
    }
    const own = id ?? newId();
    return key === undefined ? `${workflow}/${own}` : instanceIdOf(code.definition, key, own);
  }

  async function startEncoded(
    code: Code,
    key: string | undefined,
    input: string | undefined,
    given: StartOptions,
    id: string,
  ) {
    const { definition, graph } = code;
    const tags = [...new Set([...(definition.tags ?? []), ...(given.tags ?? [])])];
    assertTags(tags);
    const metadata = { ...definition.metadata, ...given.metadata };
    encodePayload(metadata, "metadata");
    encodePayload(given.telemetry, "telemetry");
    const command: StartCommand = {
      type: "start",
      ...commandOf(given),
      info: {
        workflow: graph.workflow,
        version: graph.version,
        fingerprint: graph.fingerprint,
        ...(key === undefined ? {} : { key }),
        ...(given.parent === undefined ? {} : { parent: checkId(given.parent, "parent") }),
        ...(tags.length > 0 ? { tags } : {}),
        ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
        ...(given.telemetry ? { telemetry: given.telemetry } : {}),
      },
      ...(input === undefined ? {} : { input }),
    };
    const { run } = await runner.start(checkId(id), command);
    return { id, run, ...bind([id]), result: async () => resultOf(await ended(id)) };
  }

  /** A command's id, given or made, and how its commit is to be kept. */
  function commandOf({ id = newId(), durability }: CommandOptions): Pick<StartCommand, "commandId" | "durability"> {
    if (typeof id !== "string" || id.length === 0 || id.length > COMMAND_ID_LENGTH_MAX) {
      throw new HephaestusError("OPTION_INVALID", `id: 1 to ${COMMAND_ID_LENGTH_MAX} characters`, { field: "id" });
    }
    if (durability === undefined) return { commandId: id };
    if (durability === "strict") return { commandId: id, durability };
    throw new HephaestusError("OPTION_INVALID", 'durability: "strict", or not given', { field: "durability" });
  }

  function control(type: "pause" | "unpause" | "cancel" | "retry" | "adopt" | "delete") {
    return async (id: string, options: CommandOptions = {}) => {
      await runner.send(checkId(id), { type, ...commandOf(options) });
    };
  }

  async function get(id: string): Promise<InstanceView> {
    const view = await runner.read(checkId(id));
    if (view) return view;
    throw new HephaestusError("INSTANCE_NOT_FOUND", `there is no instance ${id}`, { id });
  }

  /** The engine's actions by id: everything else is these under another name of the instance. */
  const actions: InstanceActions<[id: string]> = {
    async resume(id, event, payload, options = {}) {
      const text = encodePayload(payload, `payload of event ${JSON.stringify(event)}`);
      const request: InstanceRequest = {
        type: "event",
        ...commandOf(options),
        event: String(event),
        ...(text === undefined ? {} : { payload: text }),
        ...(options.step === undefined ? {} : { step: options.step }),
      };
      return (await runner.send(checkId(id), request)) as EventReply;
    },
    async scheduleResume(id, step, delay, options = {}) {
      const delayMs = durationMs(delay, "delay");
      const event = options.event ?? (await onlyEvent(id, step));
      await runner.send(checkId(id), { type: "schedule", ...commandOf(options), step, delayMs, event });
    },
    get,
    async history(id) {
      const entries = await runner.history(checkId(id));
      if (entries.length > 0) return entries;
      throw new HephaestusError("INSTANCE_NOT_FOUND", `there is no instance ${id}`, { id });
    },
    subscribe: (id, listener) => runner.subscribe(checkId(id), listener),
    cancel: control("cancel"),
    pause: control("pause"),
    unpause: control("unpause"),
    retry: control("retry"),
    adopt: control("adopt"),
    delete: control("delete"),
  };

  async function onlyEvent(id: string, step: string): Promise<string> {
    const { workflow, version } = await get(id);
    const events = registry.get(workflow, version).steps.get(step)?.events ?? [];
    if (events.includes("timeout")) return "timeout";
    if (events.length === 1) return events[0] as string;
    const message = `step ${step} has the events ${events.join(", ")}: name one`;
    throw new HephaestusError("OPTION_INVALID", message, { field: "event" });
  }

  async function result(id: string): Promise<Record<string, Json>> {
    const view = await get(id);
    return resultOf(isEnded(view.status) ? view : await ended(id));
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

  /** Waits for the end of an instance that there is. */
  function ended(id: string): Promise<InstanceView> {
    return new Promise((resolve, reject) => {
      const stop = runner.subscribe(id, (change) => {
        if (!isEnded(change.status)) return;
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

  async function restart(id: string, given: StartOptions & { readonly input?: unknown } = {}) {
    const { workflow, version, key, input } = await get(id);
    const code = registry.get(workflow, version);
    const text = await parsePayload(
      code.definition.input,
      given.input ?? input,
      `input of workflow "${workflow}"`,
      "INPUT_INVALID",
    );
    // The same restart again finds the run that it made; only the engine knows.
    return startEncoded(code, key, text, given, id).catch((error: unknown) => {
      if (!(error instanceof HephaestusError) || error.code !== "ALREADY_RUNNING") throw error;
      throw new HephaestusError("STATUS_REFUSES", `${error.message}: it refuses restart`, error.details);
    });
  }

  /** The actions with the instance named already, or named by something that the id follows from. */
  function bind<Target extends readonly unknown[]>(
    target: readonly [string] | ((...named: Target) => string),
  ): InstanceActions<Target> {
    const bound: Record<string, (...args: unknown[]) => unknown> = {};
    for (const [name, act] of Object.entries(actions) as [string, (...args: unknown[]) => unknown][]) {
      bound[name] =
        typeof target === "function"
          ? (key, ...rest) => act(target(...([key] as unknown as Target)), ...rest)
          : (...rest) => act(target[0], ...rest);
    }
    return bound as unknown as InstanceActions<Target>;
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
        ...bind<[key: string]>(named),
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
    close: () => runner.close(),
  };
}

function checkId(id: unknown, field = "id"): string {
  if (typeof id === "string" && id.length > 0 && id.length <= INSTANCE_ID_LENGTH_MAX) return id;
  throw new HephaestusError("OPTION_INVALID", `an instance id is a text of 1 to ${INSTANCE_ID_LENGTH_MAX} characters`, {
    field,
  });
}
