/** Something that is done once, a while after it was first asked for, unless that is taken back. */
export class Later {
  readonly #act: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(act: () => void) {
    this.#act = act;
  }

  within(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#act();
    }, ms);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
