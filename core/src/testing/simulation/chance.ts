import type { Random } from "../../runtime/clock.ts";

/** Mixes a number into a 32-bit hash (the finalizer of MurmurHash3): all chance of a simulation comes from here. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ Math.imul(value | 0, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Mixes a text into a 32-bit hash. */
export function mixText(hash: number, text: string): number {
  let mixed = hash;
  for (let index = 0; index < text.length; index++) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193);
  return mix(mixed, text.length);
}

/** A hash as a number from 0 to below 1. */
export function toUnit(hash: number): number {
  return (hash >>> 0) / 2 ** 32;
}

/** A random source that gives the same numbers for the same seed. */
export function seeded(seed: number): Random {
  let state = mix(0x2545f491, seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return toUnit(mix(state, 0x1b56c4e9));
  };
}

/** What a generator of plans asks of chance. */
export interface Dice {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  between(least: number, most: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  one<T>(list: readonly T[]): T;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
}

export function dice(random: Random): Dice {
  const below = (n: number) => Math.floor(random() * n);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => random() < probability,
    one: (list) => list[below(list.length)] as (typeof list)[number],
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      return (entries.at(-1) as (typeof entries)[number])[0];
    },
  };
}
