/**
 * How many microtasks a write of the alarm is put off at most. Any number is right: all of them run in the turn that
 * began it, and so in its atomic write. More of them let a longer run of short steps end before.
 */
const PUT_OFF_MAX = 200;

/**
 * The one alarm of an object, written only when it has to move: each move is billed as a row, and costs as much time as
 * all else of a short run. A run that ends in the turn in which it began moves none.
 */
export class ObjectAlarm {
  readonly #ctx: DurableObjectState;
  /** Where it is to stand; null is "not armed". */
  #at: number | null = null;
  /** Where it stands in the storage. */
  #stored: number | null = null;
  #isPutOff = false;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Learns where it stands, after the object was loaded anew. */
  async read(): Promise<void> {
    this.#stored = await this.#ctx.storage.getAlarm();
    this.#at = this.#stored;
  }

  get isArmed(): boolean {
    return this.#at !== null;
  }

  /** Has it stand at this time or before. */
  armBy(at: number): void {
    // One that is past rings as soon as it can, and is armed again then.
    if (this.#at === null || this.#at > at || this.#at <= Date.now()) this.set(at);
  }

  /** Has it stand exactly there; one that rings in this moment anyway is not written again. */
  settle(at: number): void {
    const soon = Date.now() + 1;
    if (at > soon || this.#at === null || this.#at > soon) this.set(Math.max(at, soon));
  }

  /** Written in this turn, with the other writes of it. */
  set(at: number | null): void {
    this.#at = at;
    if (this.#isPutOff) return;
    this.#isPutOff = true;
    this.#putOff(PUT_OFF_MAX);
  }

  #putOff(more: number): void {
    void Promise.resolve().then(() => {
      if (more === 0 || this.#at === this.#stored) this.write();
      else this.#putOff(more - 1);
    });
  }

  /** Writes at once what has been put off. */
  write(): void {
    this.#isPutOff = false;
    const at = this.#at;
    if (this.#stored === at) return;
    this.#stored = at;
    // Not awaited, so that no step waits for it.
    const { storage } = this.#ctx;
    this.#ctx.waitUntil(at === null ? storage.deleteAlarm() : storage.setAlarm(at));
  }
}
