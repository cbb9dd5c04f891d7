import { describe, expect, it } from "vitest";
import { measureHeap } from "./lib/heap.ts";
import { hephaestus } from "./lib/peers.ts";

const KEPT_MAX = 3_000;

describe("the heap, after workflows of three steps on memory", () => {
  it.each([1, 50])(
    "holds little more than their journals before a full collection, with %i callers",
    async (callers) => {
      const peer = hephaestus({ steps: 3 });
      const { kept, survived } = await measureHeap(peer, callers, 3_000);
      await peer.close();
      expect(kept).toBeLessThan(KEPT_MAX);
      expect(survived).toBeLessThan(kept * 1.6);
    },
  );
});
