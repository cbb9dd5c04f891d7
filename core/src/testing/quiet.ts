import type { MinimalSignal } from "../definition/signal.ts";
import { platform } from "../runtime/platform.ts";
import type { Storage } from "../runtime/storage.ts";
import { NEVER } from "./mock.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Knows whether something is going on that needs no time to pass: a step's code, a call of the storage. */
export interface Bustle {
  /**
   * Counts a call until its promise settles, or its signal is aborted: nobody waits for it from then on, and it may be
   * time that it is to be given up by. What never returns is nothing that goes on; neither is code that takes too long.
   */
  during<T>(call: () => T, signal?: () => MinimalSignal): T;
  /** Resolves when nothing goes on, and has not since the event loop turned. */
  quiet(): Promise<void>;
}

/** In how many parts patience is lost: a machine that stands still for a moment costs one of them. */
const PATIENCE_PARTS = 20;

/** @param patienceMs real milliseconds after which code that has not returned, while nothing else went on, is given up */
export function makeBustle(clock: VirtualClock, patienceMs: number): Bustle {
  let going = 0;
  const codes = new Set<() => void>();
  let begun = 0;
  const waiting: (() => void)[] = [];

  function end(): void {
    going -= 1;
    if (going === 0) for (const tell of waiting.splice(0)) tell();
  }

  async function losePatience(): Promise<void> {
    let seen = begun;
    for (let part = 0; part < PATIENCE_PARTS && going > 0; part++) {
      await new Promise<void>((resolve) => void platform.setTimeout(resolve, patienceMs / PATIENCE_PARTS));
      if (begun !== seen) part = 0;
      seen = begun;
    }
    for (const giveUp of [...codes]) giveUp();
  }

  return {
    during(call, signal) {
      going += 1;
      begun += 1;
      let answer: ReturnType<typeof call>;
      try {
        answer = call();
      } catch (thrown) {
        end();
        throw thrown;
      }
      if (answer instanceof Promise && answer !== NEVER) {
        const ended = once(() => {
          codes.delete(ended);
          end();
        });
        void answer.then(ended, ended);
        if (signal) {
          codes.add(ended);
          signal().addEventListener("abort", ended, { once: true });
        }
      } else end();
      return answer;
    },
    async quiet() {
      for (let seen = -1; seen !== begun || going > 0; ) {
        if (going > 0) await Promise.race([new Promise<void>((resolve) => void waiting.push(resolve)), losePatience()]);
        seen = begun;
        await clock.settle();
      }
    },
  };
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (!called) call();
    called = true;
  };
}

/** A storage whose calls count as something that goes on. */
export function bustlingStorage(storage: Storage, { during }: Bustle): Storage {
  return new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (...args: unknown[]) => during(() => value.apply(target, args)) : value;
    },
  });
}
