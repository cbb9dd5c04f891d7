import type { Code } from "@hephaestus/core";
import { inBatches } from "./batches.ts";
import type { StepMessage } from "./options.ts";

/** What a queue takes at once (https://developers.cloudflare.com/queues/platform/limits/), with room for its envelope. */
const BATCH_LENGTH_MAX = 100;
const BATCH_BYTES_MAX = 250_000;
export const MESSAGE_BYTES_MAX = 127_000;

/** The size of a message as it is sent, at most. */
export function messageBytes(message: StepMessage): number {
  return 3 * JSON.stringify(message).length;
}

/** Sends messages in batches that the queue takes; each must be below `MESSAGE_BYTES_MAX`. */
export async function sendSteps(
  queue: Pick<Queue<StepMessage>, "sendBatch">,
  messages: readonly StepMessage[],
): Promise<void> {
  const limits = { count: BATCH_LENGTH_MAX, size: BATCH_BYTES_MAX, sizeOf: messageBytes };
  for (const batch of inBatches(messages, limits)) await queue.sendBatch(batch.map((body) => ({ body })));
}

const queuedSteps = new WeakMap<Code, ReadonlySet<string>>();

/** The steps that are for the queue: those that say so, and, by `auto`, those of a fan-out wider than one. */
export function stepsForQueue(code: Code): ReadonlySet<string> {
  let steps = queuedSteps.get(code);
  if (steps === undefined) {
    const fannedOut = findFannedOut(code);
    const isQueued = (name: string) => {
      const execution = code.steps.get(name)?.execution ?? "auto";
      return execution === "auto" ? fannedOut.has(name) : execution === "queue";
    };
    steps = new Set(code.graph.nodes.map((node) => node.name).filter(isQueued));
    queuedSteps.set(code, steps);
  }
  return steps;
}

function findFannedOut({ graph: { nodes, starts } }: Code): ReadonlySet<string | undefined> {
  const together = [starts];
  for (const node of nodes) for (const { targets, choice } of node.routes.values()) if (!choice) together.push(targets);
  return new Set(together.filter((one) => one.length > 1).flatMap((one) => one.map((index) => nodes[index]?.name)));
}
