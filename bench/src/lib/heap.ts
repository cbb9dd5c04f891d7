import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Peer } from "./peers.ts";

/** Bytes of the heap for each workflow that has ended. */
export interface HeapUse {
  /** What is kept: all else is gone after a full collection. */
  readonly kept: number;
  /**
   * What the collections of young objects leave. More than what is kept is garbage that old garbage refers to: it is
   * copied twice, and stays until the next full collection.
   */
  readonly survived: number;
}

/** @param callers how many workflows are under way at once */
export async function measureHeap(peer: Peer, callers: number, workflows: number): Promise<HeapUse> {
  const collect = collector();
  const work = () => runMany(peer, callers, workflows);
  // Until all is compiled; and what lives by then has become old, as it has in a process that has run for a while.
  await work();
  collect();
  const before = process.memoryUsage().heapUsed;
  await work();
  for (let passes = 0; passes < 2; passes++) collect({ type: "minor" });
  const survived = process.memoryUsage().heapUsed - before;
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  return { kept: kept / workflows, survived: survived / workflows };
}

async function runMany(peer: Peer, callers: number, workflows: number): Promise<void> {
  let left = workflows;
  const caller = async () => {
    while (left-- > 0) await peer.run();
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

function collector(): (options?: { readonly type: "minor" }) => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}
