import type { MinimalSignal } from "../definition/signal.ts";

/** What the runtime uses of the platform: it exists in every JavaScript runtime, but core names none. */
interface Platform {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  readonly AbortController: new () => { readonly signal: MinimalSignal; abort(reason?: unknown): void };
  readonly crypto: { getRandomValues<T extends Uint32Array>(array: T): T };
}

export const platform: Platform = globalThis as unknown as Platform;
