import {
  checkFilter,
  comparePositions,
  type Header,
  type InstanceFilter,
  matchesFilter,
  mergeHeader,
  toPage,
} from "@hephaestus/core";
import type { InstanceIndex } from "../src/index.ts";

/**
 * An index in the test's own memory, which can be made to fail: the real one is D1, tested with the edge worker.
 */
export interface TestIndex extends InstanceIndex {
  failing: boolean;
  /** What is written is never answered, nor kept. */
  hanging: boolean;
  /** What was written, in order. */
  readonly puts: Header[];
  /** Calls that were made, failed ones too. */
  calls: number;
}

export function testIndex(): TestIndex {
  const rows = new Map<string, Header>();
  const keyOf = ({ id, run }: { readonly id: string; readonly run: number }) => `${id} ${run}`;
  async function beUp(): Promise<void> {
    // A database answers in a later turn, never in that of the call.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (index.failing) throw new Error("the index is down");
    if (index.hanging) await new Promise(() => {});
  }
  const index: TestIndex = {
    failing: false,
    hanging: false,
    puts: [],
    calls: 0,
    async put(headers) {
      index.calls += 1;
      await beUp();
      for (const header of headers) {
        const before = rows.get(keyOf(header));
        if (before && before.revision >= header.revision) continue;
        rows.set(keyOf(header), before ? mergeHeader(before, header) : header);
        index.puts.push(header);
      }
    },
    async drop(id, run) {
      index.calls += 1;
      await beUp();
      for (const [key, row] of rows) if (row.id === id && row.run <= run) rows.delete(key);
    },
    async query(filter: InstanceFilter) {
      const checked = checkFilter(filter);
      const found = [...rows.values()].filter((row) => matchesFilter(row, checked)).sort(comparePositions);
      return toPage(found, checked.limit);
    },
    async overdue({ before, limit }) {
      return [...rows.values()].filter(({ wakeAt = Number.POSITIVE_INFINITY }) => wakeAt <= before).slice(0, limit);
    },
  };
  return index;
}
