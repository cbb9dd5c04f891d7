import { telemetryBus } from "@hephaestus/core";
import { localLane, runnerConformance } from "@hephaestus/core/testing/conformance";
import { indexedDbStorage } from "./indexeddb-storage.ts";

let databases = 0;
runnerConformance("local runner, IndexedDB", async () => {
  const name = `runner-conformance-${++databases}-${crypto.randomUUID()}`;
  return localLane(() => indexedDbStorage({ name }), telemetryBus());
});
