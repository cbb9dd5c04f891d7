import { type Coverage, meet } from "./coverage.ts";
import { type Fault, PORT_NUMBERS, type Port } from "./plan.ts";
import { type Life, placeOf } from "./scheduler.ts";

/** The faults of a plan, found by where they strike. */
export interface Faults {
  /** Counts a touch of a port; answers its number. */
  touch(life: Life, port: Port): number;
  /** The fault that strikes there, once. */
  strike(life: Life, port: Port, nth: number): Fault | undefined;
  /** How many have struck. */
  readonly struck: number;
  /** One that the plan does not have: the world made it up. */
  improvise(kind: Fault["kind"]): void;
  /** From here on nothing goes wrong. */
  stop(): void;
}

export function makeFaults(faults: readonly Fault[], coverage: Coverage): Faults {
  const keyOf = (worker: number, generation: number, port: Port, nth: number) =>
    (placeOf({ worker, generation }) * 16 + PORT_NUMBERS[port]) * 65_536 + nth;
  const byPlace = new Map(faults.map((fault) => [keyOf(fault.worker, fault.generation, fault.port, fault.nth), fault]));
  let struck = 0;
  let stopped = false;
  return {
    get struck() {
      return struck;
    },
    touch(life, port) {
      const nth = life.touched.get(port) ?? 0;
      life.touched.set(port, nth + 1);
      return nth;
    },
    strike(life, port, nth) {
      if (stopped) return undefined;
      const fault = byPlace.get(keyOf(life.worker, life.generation, port, nth));
      if (fault === undefined) return undefined;
      struck += 1;
      meet(coverage, "faults", fault.kind);
      return fault;
    },
    improvise(kind) {
      struck += 1;
      meet(coverage, "faults", kind);
    },
    stop() {
      stopped = true;
    },
  };
}
