import {
  type AnyVersions,
  type AnyWorkflow,
  type Clock,
  encodePayload,
  type Hephaestus,
  HephaestusError,
  type HistoryEntry,
  type InstanceActions,
  type InstanceChange,
  type InstanceFilter,
  type InstanceSummary,
  type InstanceView,
  instanceIdOf,
  type Page,
  type StartedInstance,
  systemClock,
  type WorkflowDefinition,
  type WorkflowHandle,
} from "@hephaestus/core";
import { defined } from "./defined.ts";
import { follow } from "./follow.ts";
import { writeFilter } from "./list-query.ts";
import { makeTransport, type TransportOptions } from "./transport.ts";
import { type Items, instancePath, type Started, type WorkflowDetail, type WorkflowSummary } from "./wire.ts";

export { type Fetch, HttpError } from "./transport.ts";
export type * from "./wire.ts";

export interface ClientOptions extends TransportOptions {
  /** Where the time comes from. */
  readonly clock?: Clock;
  /** Told when a subscription cannot go on: it has nobody else to tell. Ignored unless said otherwise. */
  readonly onError?: (error: unknown, id: string) => void;
}

/**
 * An engine that is elsewhere. It is used like a local one, with these differences: `subscribe` first tells where the
 * instance stands, and ends with the run; ids of commands are printable ASCII. What the engine throws is thrown here
 * with the same code and details; what is none of its errors is an `HttpError`.
 */
export interface HephaestusClient extends Omit<Hephaestus, "registry" | "idOf"> {
  workflows(): Promise<readonly WorkflowSummary[]>;
  /** A workflow with its graph. @throws HephaestusError UNKNOWN_WORKFLOW */
  workflow(name: string, version?: number): Promise<WorkflowDetail>;
  /** Ends all subscriptions, and what waits for a result; the engine goes on. */
  close(): Promise<void>;
}

/**
 * Makes a client of the routes that `httpRoutes` serves.
 * @example
 * const client = createClient({ baseUrl: "https://example.com/api", headers: { authorization: `Bearer ${token}` } });
 * const order = await client.for(orderFlow).start("abc123", { items });
 * await order.result();
 */
export function createClient(options: ClientOptions): HephaestusClient {
  const { clock = systemClock, onError = () => {} } = options;
  const transport = makeTransport(options);
  const streams = new Set<AbortController>();
  let closed = false;

  async function read<T>(path: string): Promise<T> {
    return (await transport({ method: "GET", path })).json() as Promise<T>;
  }

  async function post(path: string, body?: object, id?: string): Promise<Response> {
    return transport({ method: "POST", path, id, ...(body ? { body: defined(body) } : {}) });
  }

  function control(name: "cancel" | "pause" | "unpause" | "retry" | "adopt") {
    return async (id: string, given: { readonly id?: string } = {}): Promise<void> => {
      await post(pathOf(id, name), undefined, given.id);
    };
  }

  /** Follows an instance until its run ends or the answer is called. */
  function open(id: string, tell: (change: InstanceChange) => void): { stop: () => void; ended: Promise<void> } {
    pathOf(id);
    if (closed) throw new HephaestusError("CLOSED", "this client is closed");
    const aborter = new AbortController();
    streams.add(aborter);
    const ended = follow(transport, clock, id, aborter.signal, tell).finally(() => streams.delete(aborter));
    return { stop: () => aborter.abort(), ended };
  }

  const actions: InstanceActions<[id: string]> = {
    async resume(id, event, payload, given = {}) {
      encodePayload(payload, `payload of event ${JSON.stringify(event)}`);
      const body = { event, payload, step: given.step };
      const { outcome } = (await (await post(pathOf(id, "events"), body, given.id)).json()) as {
        outcome: "delivered" | "queued";
      };
      return outcome;
    },
    async scheduleResume(id, step, delay, given = {}) {
      await post(pathOf(id, "schedule"), { step, delay, event: given.event }, given.id);
    },
    get: async (id) => read<InstanceView>(pathOf(id)),
    history: async (id) => (await read<Items<HistoryEntry>>(pathOf(id, "history"))).items,
    subscribe(id, listener) {
      const { stop, ended } = open(id, (change) => {
        try {
          listener(change);
        } catch (error) {
          onError(error, id);
        }
      });
      ended.catch((error: unknown) => onError(error, id));
      return stop;
    },
    cancel: control("cancel"),
    pause: control("pause"),
    unpause: control("unpause"),
    retry: control("retry"),
    adopt: control("adopt"),
    async delete(id, given = {}) {
      await transport({ method: "DELETE", path: pathOf(id), id: given.id });
    },
  };

  async function result(id: string): Promise<unknown> {
    await open(id, () => {}).ended;
    if (closed) throw new HephaestusError("CLOSED", "this client is closed");
    return (await read<{ result: unknown }>(pathOf(id, "result"))).result;
  }

  async function begin(path: string, body: object, id: string | undefined): Promise<StartedInstance<unknown>> {
    const started = (await (await post(path, body, id)).json()) as Started;
    return { ...started, ...(bind([started.id]) as StartedInstance<never>), result: () => result(started.id) };
  }

  const start: Hephaestus["start"] = async (workflow, input, { id, ...given } = {}) => {
    encodePayload(input, `input of workflow "${workflow}"`);
    return begin(`/workflows/${segment(workflow, "workflow")}/instances`, { ...given, input }, id);
  };

  const restart: Hephaestus["restart"] = async (id, { id: commandId, ...given } = {}) => {
    encodePayload(given.input, `input of ${id}`);
    return begin(pathOf(id, "restart"), given, commandId);
  };

  async function list(filter: InstanceFilter = {}): Promise<Page<InstanceSummary>> {
    const query = writeFilter(filter).toString();
    return read(`/instances${query === "" ? "" : `?${query}`}`);
  }

  /** The actions with the instance named already, or named by something that the id follows from. */
  function bind<Target extends readonly unknown[]>(target: readonly [string] | ((key: string) => string)) {
    const bound: Record<string, (...args: unknown[]) => unknown> = {};
    for (const [name, act] of Object.entries(actions) as [string, (...args: unknown[]) => unknown][]) {
      bound[name] =
        typeof target === "function"
          ? (key, ...rest) => act(target(key as string), ...rest)
          : (...rest) => act(target[0], ...rest);
    }
    return bound as unknown as InstanceActions<Target>;
  }

  return {
    ...actions,
    for(workflow) {
      const { name } = workflow;
      // Of several versions, the server gives each start its own; keys and ids are the same for all of them.
      const version = defined({ version: "version" in workflow ? workflow.version : undefined });
      const definition = definitionOf(workflow);
      const { unique } = definition;
      const named = (key: string) => (unique ? instanceIdOf(definition, key) : key);
      const handle = {
        ...bind<[key: string]>(named),
        start: unique
          ? (key: string, input: unknown, given = {}) => start(name, input, { ...version, ...given, key })
          : (input: unknown, given = {}) => start(name, input, { ...version, ...given }),
        result: async (key: string) => result(named(key)),
        restart: async (key: string, given = {}) => restart(named(key), given),
        list: (filter: InstanceFilter = {}) => list({ ...filter, workflow: name }),
        idOf: named,
      };
      return handle as unknown as WorkflowHandle<never, never, never>;
    },
    start,
    result,
    restart,
    list,
    workflows: async () => (await read<Items<WorkflowSummary>>("/workflows")).items,
    async workflow(name, version) {
      return read(`/workflows/${segment(name, "workflow")}${version === undefined ? "" : `?version=${version}`}`);
    },
    async close() {
      closed = true;
      for (const stream of streams) stream.abort();
    },
  };
}

function definitionOf(workflow: AnyWorkflow | AnyVersions): WorkflowDefinition {
  if ("definition" in workflow) return workflow.definition;
  const current = workflow.versions.find(({ version }) => version === workflow.current);
  if (current) return current.definition;
  throw new HephaestusError("UNKNOWN_WORKFLOW", `there is no workflow ${workflow.name}`, { workflow: workflow.name });
}

function pathOf(id: string, part?: string): string {
  segment(id, "id");
  return instancePath(id, part);
}

/** A URL cannot hold an empty segment, nor one of dots: they would lead to another route. */
function segment(value: string, field: string): string {
  if (typeof value === "string" && value !== "" && value !== "." && value !== "..") return encodeURIComponent(value);
  throw new HephaestusError("OPTION_INVALID", `${field}: ${JSON.stringify(value)} cannot stand in a path`, { field });
}
