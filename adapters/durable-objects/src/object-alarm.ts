import type { Turn } from "./turn.ts";

/** How long after its time an alarm is taken for lost. */
const OVERDUE_MS = 10_000;

/**
 * The one alarm of an object, written only when it has to move: each move is billed as a row, and costs as much time as
 * all else of a short run. A run that ends in the turn in which it began moves none.
 */
export class ObjectAlarm {
  readonly #ctx: DurableObjectState;
  readonly #turn: Turn;
  /** Where it is to stand; null is "not armed". */
  #at: number | null = null;
  /** Where it stands in the storage. */
  #stored: number | null = null;

  constructor(ctx: DurableObjectState, turn: Turn) {
    this.#ctx = ctx;
    this.#turn = turn;
  }

  /** Learns where it stands, after the object was loaded anew. */
  async read(): Promise<void> {
    this.#stored = await this.#ctx.storage.getAlarm();
    this.#at = this.#stored;
  }

  /** It rings: from now on it stands nowhere. */
  rang(): void {
    this.#stored = null;
    this.#at = null;
  }

  get isArmed(): boolean {
    return this.#at !== null;
  }

  /**
   * Has it stand at this time or before. One that is past rings as soon as it can: moved while the platform has it ring,
   * that ring is cancelled, and not always made up for. It is armed anew where it should have rung long ago.
   */
  armBy(at: number): void {
    if (this.#at === null || this.#at > at || this.#at < Date.now() - OVERDUE_MS) this.set(at);
  }

  /** Has it stand exactly there; one that rings in this moment anyway is not written again. */
  settle(at: number): void {
    const soon = Date.now() + 1;
    if (at > soon || this.#at === null || this.#at > soon) this.set(Math.max(at, soon));
  }

  /** Nothing needs it any more. Where it is written already it rings for nothing: a call costs less than a row. */
  release(): void {
    this.#at = this.#stored;
  }

  /** Written in this turn, with the other writes of it. */
  set(at: number): void {
    this.#at = at;
    if (at !== this.#stored) this.#turn.goOn();
  }

  /** Writes at once what has been put off. */
  write(): void {
    const at = this.#at;
    if (at === null || this.#stored === at) return;
    this.#stored = at;
    // Not awaited, so that no step waits for it.
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(at));
    this.#turn.written();
  }
}
