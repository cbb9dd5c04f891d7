/** The one alarm of an object, written only when it has to move: each move is billed as a row. */
export class ObjectAlarm {
  readonly #ctx: DurableObjectState;
  /** Null is "not armed". */
  #at: number | null = null;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Learns where it stands, after the object was loaded anew. */
  async read(): Promise<void> {
    this.#at = await this.#ctx.storage.getAlarm();
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

  set(at: number | null): void {
    if (this.#at === at) return;
    this.#at = at;
    // Ordered with the writes of this turn; not awaited, so that no step waits for it.
    const { storage } = this.#ctx;
    this.#ctx.waitUntil(at === null ? storage.deleteAlarm() : storage.setAlarm(at));
  }
}
