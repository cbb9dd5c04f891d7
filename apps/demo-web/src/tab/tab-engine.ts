import { createHephaestus, type Hephaestus } from "@hephaestus/core";
import { type CodeHost, pullRequestFlow } from "@hephaestus/example-workflows";
import { type IndexedDbOptions, indexedDbStorage } from "@hephaestus/indexeddb";

/**
 * How often this tab looks for what another one left behind. It need not wait for that one's lease to run out: the
 * browser drops the lock of a page that is gone.
 */
const SWEEP_MS = 1_000;

const DATABASE = "hephaestus-demo";

/** The engine of this tab: what it starts stays in this browser, and is taken up again by the next page that opens. */
export function makeTabEngine(
  codeHost: CodeHost,
  { name = DATABASE, ...options }: Pick<IndexedDbOptions, "name" | "onOutdated"> = {},
): Hephaestus {
  return createHephaestus({
    workflows: [pullRequestFlow],
    storage: indexedDbStorage({ name, ...options }),
    connectors: { codeHost },
    local: { sweepMs: SWEEP_MS, onError: (error, id) => console.warn("hephaestus", id, error) },
  });
}
