import { COUNTS, type Counts } from "./counts.ts";
import type { Usage } from "./prices.ts";
import { type Shape, shapes } from "./workflows.ts";

/** What is not counted but assumed; the page says so. */
export const ASSUMED = {
  /** CPU of a call from outside, and of one step that runs in a Worker, in milliseconds. */
  cpuMs: 1,
  /** How long an object is awake for a call, in milliseconds, beside the time that its steps wait. */
  objectMs: 10,
} as const;

/** An object is billed for 128 MB, whatever it uses. */
const OBJECT_GB = 0.128;
/** A message is written, read and deleted. */
const OPERATIONS = 3;

/** What one second costs in which an object is awake since an inline step waits. */
export const WAITED_SECOND: Usage = { objectGbSeconds: OBJECT_GB };

/** Calls from outside: the start, and an event where there is one. */
const callsOf = (shape: Shape) => (shapes[shape].name === "event" ? 2 : 1);

/** What one of our workflows uses, each of its steps ending at once. */
export function ours(shape: Shape, of: keyof Counts = "withIndex"): Usage {
  const { objectRows, objectRequests, indexRows, messages, batches } = COUNTS[shape][of];
  const calls = callsOf(shape);
  return {
    // A run of the consumer is counted as a request, to be on the safe side.
    workerRequest: calls + batches,
    cpuMs: (calls + messages) * ASSUMED.cpuMs,
    objectRequest: objectRequests,
    objectGbSeconds: (objectRequests * ASSUMED.objectMs * OBJECT_GB) / 1_000,
    objectRow: objectRows,
    indexRow: indexRows,
    queueOperation: messages * OPERATIONS,
  };
}

/** The same without D1. */
export const withoutIndex = (shape: Shape): Usage => ours(shape, "withoutIndex");

/** What the same costs on Cloudflare Workflows: the caller's requests, the invocation, the CPU of each step. */
export function theirs(shape: Shape): Usage {
  const calls = callsOf(shape);
  const steps = shapes[shape].graph.nodes.filter(({ kind }) => kind === "run").length;
  return { workerRequest: calls + 1, cpuMs: (calls + steps) * ASSUMED.cpuMs };
}
