import type { MinimalSignal } from "../definition/signal.ts";
import { platform } from "./platform.ts";

/** Stops one attempt. Its signal is made when the step's code first looks at it: most never do, and it is not cheap. */
export interface Aborter {
  readonly aborted: boolean;
  readonly signal: MinimalSignal;
  /** The first call counts. */
  abort(reason: unknown): void;
}

export function makeAborter(): Aborter {
  let controller: InstanceType<typeof platform.AbortController> | undefined;
  let stopped: { readonly reason: unknown } | undefined;
  return {
    get aborted() {
      return stopped !== undefined;
    },
    get signal() {
      if (controller === undefined) {
        controller = new platform.AbortController();
        if (stopped) controller.abort(stopped.reason);
      }
      return controller.signal;
    },
    abort(reason) {
      if (stopped) return;
      stopped = { reason };
      controller?.abort(reason);
    },
  };
}
