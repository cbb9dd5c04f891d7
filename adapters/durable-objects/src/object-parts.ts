import type { Connectors, Registry, TelemetryProbe } from "@hephaestus/core";
import type { ObjectAddress } from "./object-name.ts";
import { type EdgeBindings, type EdgeOptions, TIMING_DEFAULT, type Timing } from "./options.ts";

/** What all objects of a class share. */
export interface Shared<Env> {
  readonly options: EdgeOptions<Env>;
  readonly registry: Registry;
  telemetry(): TelemetryProbe | undefined;
}

/** What an object is made of beside its journal; made once for each time that it is loaded. */
export interface ObjectParts extends ObjectAddress {
  readonly bindings: EdgeBindings;
  readonly connectors: Connectors;
  readonly timing: Timing;
  readonly telemetry: TelemetryProbe | undefined;
}

export function makeParts<Env>(
  options: EdgeOptions<Env>,
  env: Env,
  { namespace, id }: ObjectAddress,
  telemetry: TelemetryProbe | undefined,
): ObjectParts {
  return {
    namespace,
    id,
    bindings: options.bindings(env, namespace),
    connectors: connectorsOf(options, env, namespace),
    timing: timingOf(options, env),
    telemetry,
  };
}

export function connectorsOf<Env>({ connectors }: EdgeOptions<Env>, env: Env, namespace: string): Connectors {
  return (connectors?.(env, namespace) ?? {}) as Connectors;
}

export function timingOf<Env>({ timing }: EdgeOptions<Env>, env: Env): Timing {
  return { ...TIMING_DEFAULT, ...timing?.(env) };
}
