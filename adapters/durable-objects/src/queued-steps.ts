import type { RunState } from "@hephaestus/core";
import type { Timing } from "./options.ts";

/** What the object knows of a step that is on the queue. */
export interface QueuedStep {
  readonly attempt: number;
  /**
   * sent: a message is on its way. claimed: a consumer has it. unknown: the object was loaded anew since, and does not
   * know which. lost: nobody came for it in time, so that it may be sent again.
   */
  readonly phase: "sent" | "claimed" | "unknown" | "lost";
  /** When it is lost, or a consumer's silence an interruption. */
  readonly until: number;
  readonly sends: number;
}

/** Waits are doubled at most so often. */
const DOUBLINGS_MAX = 6;

/** The attempts of one run that are on the queue. */
export class QueuedSteps {
  readonly #steps: Map<string, QueuedStep>;
  readonly #timing: Pick<Timing, "claimMs" | "leaseMs">;

  constructor(timing: Pick<Timing, "claimMs" | "leaseMs">, steps: Readonly<Record<string, QueuedStep>> = {}) {
    this.#timing = timing;
    this.#steps = new Map(Object.entries(steps));
  }

  /** As the constructor takes it. */
  toRecord(): Readonly<Record<string, QueuedStep>> {
    return Object.fromEntries(this.#steps);
  }

  /** Whether an attempt is on its way or being run, so that it is not sent again. */
  isOut(step: string, attempt: number): boolean {
    const known = this.#steps.get(step);
    return known?.attempt === attempt && known.phase !== "lost";
  }

  get anyOut(): boolean {
    for (const { phase } of this.#steps.values()) if (phase !== "lost") return true;
    return false;
  }

  mayHaveBegun(step: string): boolean {
    const phase = this.#steps.get(step)?.phase;
    return phase === "claimed" || phase === "unknown";
  }

  /** When the first of those that are out is lost or silent. */
  get nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { until, phase } of this.#steps.values()) {
      if (phase !== "lost" && (next === undefined || until < next)) next = until;
    }
    return next;
  }

  /** Forgets what is not the current attempt of an active step any more. */
  prune(state: RunState): void {
    for (const [name, { attempt }] of this.#steps) {
      if (!isCurrent(state, { run: state.run, step: name, attempt })) this.#steps.delete(name);
    }
  }

  /** After the object was loaded anew: whoever has this attempt gets one lease to be heard. */
  await(step: string, attempt: number, now: number): void {
    this.#steps.set(step, { attempt, phase: "unknown", until: now + this.#timing.leaseMs, sends: 1 });
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

  claim(step: string, attempt: number, now: number): void {
    const { sends = 1 } = this.#steps.get(step) ?? {};
    this.#steps.set(step, { attempt, phase: "claimed", until: now + this.#timing.leaseMs, sends });
  }

  /** Whoever claimed it comes again for it at once. */
  unclaim(step: string): void {
    const before = this.#steps.get(step);
    if (before) this.#steps.set(step, { ...before, phase: "sent" });
  }

  /**
   * A consumer is alive: also one that claimed before the object was loaded anew.
   * @returns whether its time was moved: not each time, since that may be written down
   */
  heartbeat(step: string, attempt: number, now: number): boolean {
    const before = this.#steps.get(step);
    const { leaseMs } = this.#timing;
    if (before?.attempt !== attempt || (before.phase === "claimed" && before.until - now > leaseMs / 2)) return false;
    this.#steps.set(step, { ...before, phase: "claimed", until: now + leaseMs });
    return true;
  }

  /** Finds what is overdue: what nobody came for is lost from now on; whose consumer is silent is answered. */
  takeSilent(now: number): readonly string[] {
    const silent: string[] = [];
    for (const [name, step] of this.#steps) {
      if (step.until > now || step.phase === "lost") continue;
      if (step.phase === "claimed") silent.push(name);
      else this.#steps.set(name, { ...step, phase: "lost" });
    }
    return silent;
  }
}

/** Whether this is the current attempt of a step that is to be run, or runs. */
export function isCurrent(
  state: RunState,
  { run, step, attempt }: { readonly run: number; readonly step: string; readonly attempt: number },
): boolean {
  const current = state.steps.get(step);
  const isOpen = current?.status === "active" && current.wakeAt === undefined;
  return state.run === run && isOpen && (current.attempt ?? 1) === attempt;
}
