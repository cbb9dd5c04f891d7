import { HephaestusError } from "../definition/errors.ts";
import type { Timestamp } from "../engine/state.ts";
import type { TelemetryEvent, TelemetryName } from "./events.ts";
import { type EventSink, makeProbe, type TelemetryProbe } from "./probe.ts";

/** A handler that failed so many times in a row is detached. */
export const HANDLER_FAILURES_MAX = 10;

/** One event, all of a group, or all. */
export type TelemetrySelector = TelemetryName | "*" | "workflow:*" | "step:*" | "engine:*" | "runner:*";

type Selected<Selector> = Selector extends "*"
  ? TelemetryName
  : Selector extends `${infer Group}:*`
    ? Extract<TelemetryName, `${Group}:${string}`>
    : Extract<TelemetryName, Selector>;

/** How a handler failed. */
export interface HandlerFailure {
  readonly id: string;
  readonly event: TelemetryEvent;
  readonly error: unknown;
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** It was the last one: the handler is told of nothing any more. */
  readonly detached: boolean;
}

export interface TelemetryBusOptions {
  /** Told of each failure of a handler; what it throws itself is dropped. */
  readonly onHandlerError?: (failure: HandlerFailure) => unknown;
}

/** Where handlers attach, and what the runtime tells its events. Handlers cannot harm who tells, nor each other. */
export interface TelemetryBus extends EventSink {
  /**
   * Has a handler told of events, in the order in which handlers were attached. It is called at once and not waited
   * for; it may be asynchronous.
   * @param id names the handler, for `detach` and in reports
   * @returns detaches it
   * @throws HephaestusError OPTION_INVALID when the id is taken
   */
  attach<const Selector extends TelemetrySelector>(
    id: string,
    events: Selector | readonly Selector[],
    handler: (event: TelemetryEvent<Selected<Selector>>) => unknown,
    options?: { readonly filter?: (event: TelemetryEvent<Selected<Selector>>) => boolean },
  ): () => void;
  /** @returns whether there was one */
  detach(id: string): boolean;
  /** Tells of a runner that is ready, and answers what it and its drivers tell the rest by. */
  probe(runner: { readonly runner: string; readonly runnerId: string; readonly at: Timestamp }): TelemetryProbe;
}

interface Attached {
  readonly id: string;
  readonly events: readonly TelemetrySelector[];
  readonly handle: (event: never) => unknown;
  readonly filter: ((event: never) => boolean) | undefined;
  failures: number;
}

/**
 * Makes a bus. One may serve several engines.
 * @example
 * const telemetry = telemetryBus({ onHandlerError: ({ id, error }) => report(id, error) });
 * telemetry.attach("slow", "step:stop", ({ metadata }) => warn(metadata.step), {
 *   filter: ({ measurements }) => (measurements.durationMs ?? 0) > 1_000,
 * });
 * const hephaestus = createHephaestus({ workflows, telemetry });
 */
export function telemetryBus({ onHandlerError }: TelemetryBusOptions = {}): TelemetryBus {
  const attached = new Map<string, Attached>();
  /** Made anew whenever handlers come or go, so that an emit that is on its way keeps its own list. */
  let byName = new Map<TelemetryName, readonly Attached[]>();

  function listenersOf(name: TelemetryName): readonly Attached[] {
    let listeners = byName.get(name);
    if (listeners === undefined) {
      listeners = [...attached.values()].filter(({ events }) => events.some((selector) => selects(selector, name)));
      byName.set(name, listeners);
    }
    return listeners;
  }

  function detach(id: string): boolean {
    byName = new Map();
    return attached.delete(id);
  }

  function tell(one: Attached, event: TelemetryEvent): void {
    // One that was told before it may have detached it.
    if (attached.get(one.id) !== one) return;
    try {
      if (one.filter && !one.filter(event as never)) return;
      const answer = one.handle(event as never);
      const later = typeof answer === "object" && answer !== null && "then" in answer;
      if (!later) one.failures = 0;
      else
        Promise.resolve(answer).then(
          () => (one.failures = 0),
          (error: unknown) => fail(one, event, error),
        );
    } catch (error) {
      fail(one, event, error);
    }
  }

  function fail(one: Attached, event: TelemetryEvent, error: unknown): void {
    if (attached.get(one.id) !== one) return;
    one.failures += 1;
    const { id, failures } = one;
    const detached = failures >= HANDLER_FAILURES_MAX;
    if (detached) detach(id);
    if (onHandlerError === undefined) return;
    const report = { id, event, error, failures, detached };
    try {
      Promise.resolve(onHandlerError(report)).catch(() => {});
    } catch {
      // There is nobody left to tell.
    }
  }

  const bus: TelemetryBus = {
    attach(id, events, handle, { filter } = {}) {
      if (attached.has(id)) {
        throw new HephaestusError("OPTION_INVALID", `a telemetry handler ${JSON.stringify(id)} is attached already`, {
          field: "id",
        });
      }
      const one: Attached = {
        id,
        events: [events].flat() as readonly TelemetrySelector[],
        handle,
        filter,
        failures: 0,
      };
      attached.set(id, one);
      byName = new Map();
      return () => {
        if (attached.get(id) === one) detach(id);
      };
    },
    detach,
    has: (name) => attached.size > 0 && (name === undefined || listenersOf(name).length > 0),
    emit(...events) {
      for (const event of events) for (const one of listenersOf(event.name)) tell(one, event);
    },
    probe: (runner) => makeProbe(bus, runner),
  };
  return bus;
}

function selects(selector: TelemetrySelector, name: TelemetryName): boolean {
  return selector === name || (selector.endsWith("*") && name.startsWith(selector.slice(0, -1)));
}
