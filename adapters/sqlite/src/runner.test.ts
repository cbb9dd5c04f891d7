import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { telemetryBus } from "@hephaestus/core";
import { localLane, runnerConformance } from "@hephaestus/core/testing/conformance";
import { sqliteStorage } from "./node.ts";

const folder = mkdtempSync(join(tmpdir(), "hephaestus-runner-"));
let files = 0;
runnerConformance("local runner, one SQLite file", async () => {
  const file = join(folder, `${++files}.db`);
  return localLane(() => sqliteStorage(file), telemetryBus());
});
