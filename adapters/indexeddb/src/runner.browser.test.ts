import { createHephaestus } from "@hephaestus/core";
import { runnerConformance, runnerWorkflows } from "@hephaestus/core/testing/conformance";
import { indexedDbStorage } from "./indexeddb-storage.ts";

let databases = 0;
runnerConformance("local runner, IndexedDB", async () => ({
  engine: createHephaestus({
    workflows: [...runnerWorkflows],
    storage: indexedDbStorage({ name: `runner-conformance-${++databases}-${crypto.randomUUID()}` }),
    local: { sweepMs: 50 },
  }),
}));
