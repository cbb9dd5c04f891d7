import type { Connectors } from "@hephaestus/core";
import { type EdgeBindings, type EdgeOptions, TIMING_DEFAULT, type Timing } from "./options.ts";
import { QueuedSteps } from "./queued-steps.ts";

/** What an object is made of beside its journal; made once for each time that it is loaded. */
export interface ObjectParts {
  readonly bindings: EdgeBindings;
  readonly connectors: Connectors;
  readonly timing: Timing;
  readonly queued: QueuedSteps;
}

export function makeParts<Env>(options: EdgeOptions<Env>, env: Env): ObjectParts {
  const timing = { ...TIMING_DEFAULT, ...options.timing?.(env) };
  return {
    bindings: options.bindings(env),
    connectors: (options.connectors?.(env) ?? {}) as Connectors,
    timing,
    queued: new QueuedSteps(timing),
  };
}
