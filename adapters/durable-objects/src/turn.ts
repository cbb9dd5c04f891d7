/**
 * How many microtasks after the last write the end of a turn is taken for reached. Any number is right: all of them run
 * in the turn itself. More of them let steps take part that await more.
 */
const MICROTASKS = 200;

/**
 * One turn of an object, from a call or an answer that comes in until all promises that follow from it have run. Its
 * writes are one atomic write, however many they are, and nothing leaves the object from the first of them on until all
 * of them are stored. So the first is made at once, and what follows can be put off to the end of the turn and made as
 * one: a crash takes the whole turn or nothing of it either way.
 */
export class Turn {
  readonly #ctx: Pick<DurableObjectState, "abort">;
  readonly #write: (all: boolean) => void;
  #left = 0;
  #isCalled = false;
  #isHeld = false;

  /**
   * @param write makes what was put off: all of it, or what must not be put off beyond this turn; what it throws loses
   * the turn
   */
  constructor(ctx: Pick<DurableObjectState, "abort">, write: (all: boolean) => void) {
    this.#ctx = ctx;
    this.#write = write;
  }

  /** Whether somebody called in this turn: the answer leaves after everything of it is stored. */
  get isCalled(): boolean {
    return this.#isCalled;
  }

  /** Whether something was written in this turn, so that what leaves the object from now on waits for its end. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  called(): void {
    this.#isCalled = true;
    this.goOn();
  }

  written(): void {
    this.#isHeld = true;
    this.goOn();
  }

  /** Something has been put off. */
  goOn(): void {
    const isWatched = this.#left > 0;
    this.#left = MICROTASKS;
    if (!isWatched) this.#await();
  }

  /** Writes all that has been put off so far. */
  write(): void {
    this.#make(true);
  }

  #make(all: boolean): void {
    try {
      this.#write(all);
    } catch (error) {
      // It was answered as if it were stored: nobody may hear of it, and nothing of the turn may stay.
      this.#ctx.abort(`hephaestus: a turn could not be stored: ${error}`);
      throw error;
    }
  }

  #await(): void {
    void NOW.then(() => {
      this.#left -= 1;
      if (this.#left > 0) this.#await();
      else this.#end();
    });
  }

  #end(): void {
    try {
      this.#make(false);
    } finally {
      this.#isCalled = false;
      this.#isHeld = false;
    }
  }
}

const NOW = Promise.resolve();
