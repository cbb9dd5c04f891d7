import type { Draft } from "./draft.ts";
import { deliver, longestWaiting } from "./inbox.ts";
import { propagate } from "./joins.ts";

/**
 * Gives events that came while nothing could be done (in a pause, without the code) to the steps that wait for them, one
 * after the other as if they came now.
 */
export function deliverWaiting(draft: Draft): void {
  if (draft.paused || draft.ending || draft.untakenCount === 0) return;
  for (const item of [...draft.untaken()]) {
    // What the events before it led to may have taken it.
    const taker = draft.hasLeft(item) ? undefined : longestWaiting(draft, item);
    if (taker === undefined) continue;
    deliver(draft, taker, item);
    propagate(draft);
  }
}
