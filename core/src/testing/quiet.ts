import type { MinimalSignal } from "../definition/signal.ts";
import type { Storage } from "../runtime/storage.ts";
import { NEVER } from "./mock.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Knows whether something is going on that needs no time to pass: a step's code, a call of the storage. */
export interface Bustle {
  /**
   * Counts a call until its promise settles, or its signal is aborted: nobody waits for it from then on, and it may be
   * time that it is to be given up by. What never returns is nothing that goes on.
   */
  during<T>(call: () => T, signal?: () => MinimalSignal): T;
  /** Resolves when nothing goes on, and has not since the event loop turned. */
  quiet(): Promise<void>;
}

export function makeBustle(clock: VirtualClock): Bustle {
  let going = 0;
  let begun = 0;
  const waiting: (() => void)[] = [];

  function end(): void {
    going -= 1;
    if (going === 0) for (const tell of waiting.splice(0)) tell();
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
        const ended = once(end);
        void answer.then(ended, ended);
        signal?.().addEventListener("abort", ended, { once: true });
      } else end();
      return answer;
    },
    async quiet() {
      for (let seen = -1; seen !== begun || going > 0; ) {
        if (going > 0) await new Promise<void>((resolve) => void waiting.push(resolve));
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
