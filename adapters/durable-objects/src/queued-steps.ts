import type { Code, DrivenInstance } from "@hephaestus/core";
import type { StepMessage, Timing } from "./options.ts";

/** What the object remembers of a step that is on the queue. It is in memory only: losing it costs time, not truth. */
interface Queued {
  readonly attempt: number;
  /** sent: a message is on its way. claimed: a consumer has it. unknown: the object was loaded anew since. */
  readonly phase: "sent" | "claimed" | "unknown";
  readonly until: number;
  readonly sends: number;
}

/** What has to be done about steps that nobody was heard of in time. */
export interface Overdue {
  /** Never claimed: the same attempt is sent again. */
  readonly resend: readonly string[];
  /** Claimed and silent: the attempt did not come back. */
  readonly interrupted: readonly string[];
}

/** Waits are doubled at most so often. */
const DOUBLINGS_MAX = 6;

/** A message is far below the 128 KB that a queue takes; a batch takes 100 of them. */
const SEND_BATCH = 100;

/** The steps of one object that run on the queue. */
export class QueuedSteps {
  readonly #steps = new Map<string, Queued>();
  readonly #timing: Timing;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  has(step: string): boolean {
    return this.#steps.has(step);
  }

  get size(): number {
    return this.#steps.size;
  }

  /** When the first of them is overdue. */
  get nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#steps.values()) if (next === undefined || until < next) next = until;
    return next;
  }

  /** Forgets what is not the current attempt of an active step any more. */
  prune({ state }: DrivenInstance): void {
    for (const [name, { attempt }] of this.#steps) {
      const step = state.steps.get(name);
      const current = step?.status === "active" && step.wakeAt === undefined && (step.attempt ?? 1) === attempt;
      if (!current) this.#steps.delete(name);
    }
  }

  /** After the object was loaded anew: whoever has these steps gets one lease to be heard. */
  await(steps: readonly string[], driver: DrivenInstance, now: number): void {
    for (const name of steps) {
      const attempt = driver.state.steps.get(name)?.attempt ?? 1;
      this.#steps.set(name, { attempt, phase: "unknown", until: now + this.#timing.leaseMs, sends: 1 });
    }
  }

  sent(step: string, attempt: number, now: number): void {
    const before = this.#steps.get(step);
    const sends = before?.attempt === attempt ? before.sends + 1 : 1;
    const wait = this.#timing.claimMs * 2 ** Math.min(sends - 1, DOUBLINGS_MAX);
    this.#steps.set(step, { attempt, phase: "sent", until: now + wait, sends });
  }

  isClaimed(step: string): boolean {
    return this.#steps.get(step)?.phase === "claimed";
  }

  /** False when somebody else has it. */
  claim(step: string, attempt: number, now: number): boolean {
    const before = this.#steps.get(step);
    if (before?.phase === "claimed" && before.attempt === attempt) return false;
    this.#steps.set(step, { attempt, phase: "claimed", until: now + this.#timing.leaseMs, sends: before?.sends ?? 1 });
    return true;
  }

  /** A consumer is alive: also one that claimed before the object was loaded anew. */
  heartbeat(step: string, attempt: number, now: number): void {
    const before = this.#steps.get(step);
    if (before?.attempt !== attempt) return;
    this.#steps.set(step, { ...before, phase: "claimed", until: now + this.#timing.leaseMs });
  }

  takeOverdue(now: number): Overdue {
    const resend: string[] = [];
    const interrupted: string[] = [];
    for (const [name, { phase, until }] of this.#steps) {
      if (until <= now) (phase === "claimed" ? interrupted : resend).push(name);
    }
    return { resend, interrupted };
  }
}

/** Sends messages in batches that the queue takes. */
export async function sendSteps(queue: Queue<StepMessage>, messages: readonly StepMessage[]): Promise<void> {
  for (let from = 0; from < messages.length; from += SEND_BATCH) {
    await queue.sendBatch(messages.slice(from, from + SEND_BATCH).map((body) => ({ body })));
  }
}

/** Whether a step is for the queue: it says so, or, by `auto`, it is part of a fan-out wider than one. */
export function isQueued({ graph, steps }: Code, name: string): boolean {
  const node = graph.byName.get(name);
  if (node === undefined) return false;
  const execution = steps.get(name)?.execution ?? "auto";
  if (execution !== "auto") return execution === "queue";
  if (node.isStart) return graph.starts.length > 1;
  return node.sources.some((source) => {
    const routes = graph.nodes[source]?.routes.values() ?? [];
    return [...routes].some(({ targets, choice }) => !choice && targets.length > 1 && targets.includes(node.index));
  });
}
