import { telemetryBus } from "../telemetry/bus.ts";
import { localLane } from "../testing/runner-lane.ts";
import { runnerConformance } from "../testing/runner-suite.ts";
import { memoryStorage } from "./memory-storage.ts";

runnerConformance("local runner, memory", async () => {
  const storage = memoryStorage();
  return localLane(() => storage, telemetryBus());
});
