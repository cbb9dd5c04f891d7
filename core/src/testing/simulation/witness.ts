import type { JsonText } from "../../definition/json.ts";
import type { StepContext } from "../../definition/step.ts";
import { SERIAL_INTERRUPTIONS } from "../../engine/limits.ts";
import { type Account, isSettledStep, resultTextOf } from "./account.ts";
import { codeAt } from "./editions.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import { hold } from "./violation.ts";

/** How the code of an attempt ended, as the code itself knows. */
export type Told =
  | { readonly type: "outcome"; readonly event: string; readonly result: JsonText | undefined }
  | { readonly type: "pending" }
  | { readonly type: "error" }
  | { readonly type: "compensated" };

/** An attempt whose code was called. */
export interface Begun {
  readonly life: Life;
  readonly account: Account;
  readonly run: number;
  readonly token: Token;
  readonly context: AnyContext;
  told: Told | undefined;
}

type AnyContext = StepContext<unknown, [], []> & { readonly results: Readonly<Record<string, unknown>> };

/** Which step, and which attempt of it: of its code, or of its compensation. */
export interface Token {
  readonly step: string;
  readonly attempt: number;
  readonly compensation: boolean;
}

/**
 * Stands in the code of every step: sees what begins, what it is given and how it ends, whatever the journal says.
 */
export interface Witness {
  /**
   * @param now by the clock of its worker
   * @throws Violation
   */
  began(life: Life, account: Account, token: Token, context: AnyContext, now: number): string;
  ended(token: string, told: Told): void;
  told(account: Account, run: number, token: Token): Told | undefined;
  begun(account: Account, run: number, token: Token): boolean;
  /** Where an attempt runs; undefined when it was not begun, or has ended. */
  runsOn(account: Account, run: number, token: Token): Life | undefined;
  /** The attempts that have not ended; of lives that are over, too. */
  readonly running: Iterable<Begun>;
  /** The effect of a checkpoint is executed. @throws Violation */
  effect(token: string, attempt: number, place: string, name: string): void;
  /** An attempt was told that a checkpoint is stored. */
  stored(attempt: number, key: string, name: string): void;
  /** A commit of this life was acknowledged to it. */
  acknowledged(life: Life, id: string, revision: number): void;
  /** A commit of this life took or renewed the lease of an instance. */
  leased(life: Life, id: string, until: number): void;
}

/** The last commit of an instance that was acknowledged to a life, when that was, and the one before it. */
interface Acknowledged {
  readonly revision: number;
  readonly tick: number;
  readonly before: number;
}

export function makeWitness(scheduler: Pick<Scheduler, "tick">): Witness {
  const begun = new Map<string, Begun>();
  const running = new Set<Begun>();
  /** The idempotency key of each step of each run, and whether it was compensated since. */
  const keys = new Map<string, { key: string; compensated: boolean }>();
  const given = new Map<string, string>();
  /** The first attempt that knew a checkpoint to be stored. */
  const stored = new Map<string, number>();
  const acknowledged = new Map<Life, Map<string, Acknowledged>>();
  const leases = new Map<Life, Map<string, number>>();

  const placeOf = ({ id, removals }: Account, run: number) => `${id}${removals > 0 ? `%${removals}` : ""}#${run}`;
  const nameOf = (account: Account, run: number, { step, attempt, compensation }: Token) =>
    `${placeOf(account, run)}/${step}${compensation ? "~" : "@"}${attempt}`;

  /** What this life has heard of an instance: what it is told now, it hears a few turns of its queue later. */
  function knownTo(life: Life, id: string): number {
    const { revision = 0, tick = 0, before = 0 } = acknowledged.get(life)?.get(id) ?? {};
    return tick < scheduler.tick ? revision : before;
  }

  function checkKnown(life: Life, account: Account, { step, compensation }: Token, token: string): void {
    const known = knownTo(life, account.id);
    const { workflow, adoption } = account;
    const goesElsewhere = workflow !== codeAt(account, life) && (adoption?.revision ?? 0) <= known;
    hold(!goesElsewhere, "editions", () => `${token} begins, and its runner has another edition of the code`);
    if (compensation) return;
    hold(!life.closing, "begun-once", () => `${token} begins on a worker that closes`);
    const state = account.steps.get(step);
    const over = isSettledStep(state) && (account.settledAt.get(step) ?? Number.POSITIVE_INFINITY) <= known;
    hold(!over, "begun-once", () => `${token} begins after its runner was told that ${step} is ${state?.status}`);
    const ending = account.endingSince !== undefined && account.endingSince <= known;
    hold(!ending, "begun-once", () => `${token} begins after its runner was told that the run ends`);
  }

  /** By a worker's own clock its lease holds when it begins something, whatever took how long before. */
  function checkLease(life: Life, id: string, now: number, token: string): void {
    const until = leases.get(life)?.get(id) ?? 0;
    hold(now < until, "begun-once", () => `${token} begins at ${now} under a lease until ${until}`);
  }

  /** From the second interruption of a step on, its run takes one step at a time. */
  function checkSeries(life: Life, account: Account, { step }: Token, token: string): void {
    const open = [...account.steps].filter(([, { status }]) => status === "active");
    if (!open.some(([, { interruptions = 0 }]) => interruptions >= SERIAL_INTERRUPTIONS)) return;
    for (const [name, { attempt = 1, wakeAt }] of open) {
      if (name === step || wakeAt !== undefined) continue;
      const other = begun.get(nameOf(account, account.run, { step: name, attempt, compensation: false }));
      const runs = other !== undefined && other.life === life && other.told === undefined;
      hold(!runs, "begun-once", () => `${token} begins while ${name} runs, and a step was interrupted again and again`);
    }
  }

  function checkContext(account: Account, { step, compensation }: Token, token: string, context: AnyContext): void {
    for (const [name, value] of Object.entries(context.results)) {
      const text = resultTextOf(account, name);
      const same = text === undefined ? value === undefined : JSON.stringify(value) === text;
      hold(
        same || account.retried,
        "context",
        () => `${token} is given ${JSON.stringify(value)} of ${name}, not ${text}`,
      );
    }
    if (compensation) {
      const { result } = context as { readonly result?: unknown };
      const text = resultTextOf(account, step);
      const same = text === undefined ? result === undefined || result === null : JSON.stringify(result) === text;
      hold(same, "context", () => `${token} undoes ${JSON.stringify(result)}, not ${text}`);
      return;
    }
    const place = `${account.removals} ${context.idempotencyKey}`;
    const seen = JSON.stringify(context.results);
    const before = given.get(place);
    // Another edition may see the results of other steps.
    const steady = before === undefined || before === seen || account.retried || account.adoption !== undefined;
    hold(steady, "context", () => `${token} is given ${seen}, an attempt before it ${before}`);
    given.set(place, seen);
  }

  function checkKey(account: Account, { step, compensation }: Token, token: string, key: string): void {
    const place = `${placeOf(account, account.run)}/${step}`;
    const before = keys.get(place);
    if (compensation) {
      if (before) before.compensated = true;
      return;
    }
    const changed = before !== undefined && before.key !== key;
    hold(
      !changed || before.compensated,
      "context",
      () => `${token} has the key ${key}, an attempt before it ${before?.key}`,
    );
    if (before === undefined || changed) keys.set(place, { key, compensated: false });
  }

  return {
    began(life, account, token, context, now) {
      const { run } = context.instance;
      const name = nameOf(account, run, token);
      const before = begun.get(name);
      hold(before === undefined, "begun-once", () => {
        return `${name} begins on worker ${life.worker} and has begun on worker ${before?.life.worker}`;
      });
      const own: Begun = { life, account, run, token, context, told: undefined };
      begun.set(name, own);
      running.add(own);
      checkLease(life, account.id, now, name);
      // A worker that stood still may not know that the run is over and gone.
      if (account.run !== run || account.status === "deleted") return name;
      checkKnown(life, account, token, name);
      if (!token.compensation) checkSeries(life, account, token, name);
      const state = account.steps.get(token.step);
      const current = (token.compensation ? state?.compensation?.attempt : state?.attempt) ?? 1;
      const known = state === undefined || token.attempt <= current;
      hold(known, "begun-once", () => `${name} begins, and the journal knows of no such token`);
      // A step that was run anew is not being undone any more, also where a worker that stood still goes on with that.
      const isCurrent = token.attempt === current && (!token.compensation || state?.compensation !== undefined);
      if (isCurrent) checkContext(account, token, name, context);
      // An attempt that is over elsewhere has the key of its own time.
      if (token.compensation || isCurrent) checkKey(account, token, name, context.idempotencyKey);
      return name;
    },
    ended(token, told) {
      const one = begun.get(token);
      if (one === undefined) return;
      one.told ??= told;
      running.delete(one);
    },
    running,
    begun: (account, run, token) => begun.has(nameOf(account, run, token)),
    runsOn(account, run, token) {
      const one = begun.get(nameOf(account, run, token));
      return one?.told === undefined ? one?.life : undefined;
    },
    told: (account, run, token) => begun.get(nameOf(account, run, token))?.told,
    effect(token, attempt, key, name) {
      const before = stored.get(`${key} ${name}`) ?? Number.POSITIVE_INFINITY;
      // One that began before may not have heard of it.
      hold(attempt <= before, "context", () => `${token} has the effect of checkpoint ${name} again`);
    },
    stored(attempt, key, name) {
      const place = `${key} ${name}`;
      stored.set(place, Math.min(attempt, stored.get(place) ?? attempt));
    },
    acknowledged(life, id, revision) {
      let own = acknowledged.get(life);
      if (own === undefined) {
        own = new Map();
        acknowledged.set(life, own);
      }
      own.set(id, { revision, tick: scheduler.tick, before: knownTo(life, id) });
    },
    leased(life, id, until) {
      const own = leases.get(life) ?? new Map<string, number>();
      leases.set(life, own.set(id, Math.max(until, own.get(id) ?? 0)));
    },
  };
}
