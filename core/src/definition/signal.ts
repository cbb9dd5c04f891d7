/** What the engine itself uses of an AbortSignal. */
export interface MinimalSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * The platform's AbortSignal where the program's types know one (so that it fits `fetch`), else the part used here:
 * core compiles without the types of any platform.
 */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : MinimalSignal;
