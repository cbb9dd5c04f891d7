import { createHephaestus, type Hephaestus } from "@hephaestus/core";
import { type CodeHost, pullRequestFlow } from "@hephaestus/example-workflows";
import { indexedDbStorage } from "@hephaestus/indexeddb";

/**
 * How long another tab waits for this one where the browser has no locks to tell that it is gone. Where it has them
 * (everywhere but in insecure contexts), a reload goes on at once.
 */
const LEASE_MS = 5_000;
const SWEEP_MS = 1_000;

export const DATABASE = "hephaestus-demo";

/** The engine of this tab: what it starts stays in this browser, and is taken up again by the next page that opens. */
export function makeTabEngine(codeHost: CodeHost, database = DATABASE): Hephaestus {
  return createHephaestus({
    workflows: [pullRequestFlow],
    storage: indexedDbStorage({ name: database }),
    connectors: { codeHost },
    local: { leaseMs: LEASE_MS, sweepMs: SWEEP_MS, onError: (error, id) => console.warn("hephaestus", id, error) },
  });
}
