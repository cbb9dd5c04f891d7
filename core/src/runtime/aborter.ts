import type { MinimalSignal } from "../definition/signal.ts";
import { platform } from "./platform.ts";

/** Stops one attempt. Its signal is made when the step's code first looks at it: most never do, and it is not cheap. */
export class Aborter {
  #controller: InstanceType<typeof platform.AbortController> | undefined = undefined;
  #stopped: { readonly reason: unknown } | undefined = undefined;

  get aborted(): boolean {
    return this.#stopped !== undefined;
  }

  get signal(): MinimalSignal {
    if (this.#controller === undefined) {
      this.#controller = new platform.AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  /** The first call counts. */
  abort(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#controller?.abort(reason);
  }
}
