import { type Header, type InstanceFilter, type InstanceSummary, memoryStorage, type Page } from "@hephaestus/core";
import type { InstanceIndex } from "../src/index.ts";

/**
 * An index in the test's own memory, which can be made to fail: the real one is D1, tested with the edge worker.
 */
export interface TestIndex extends InstanceIndex {
  failing: boolean;
  puts: Header[];
}

export function testIndex(): TestIndex {
  const rows = memoryStorage();
  const revisions = new Map<string, number>();
  return {
    failing: false,
    puts: [],
    async put(headers) {
      if (this.failing) throw new Error("the index is down");
      for (const header of headers) {
        this.puts.push(header);
        const expected = revisions.get(header.id) ?? 0;
        revisions.set(header.id, expected + 1);
        await rows.commit([
          { id: header.id, run: header.run, expected, nonce: `${expected}`, changes: { at: 0 }, header },
        ]);
      }
    },
    async drop() {},
    query: (filter: InstanceFilter): Promise<Page<InstanceSummary>> => rows.query(filter),
  };
}
