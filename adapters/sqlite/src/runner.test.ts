import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHephaestus } from "@hephaestus/core";
import { runnerConformance, runnerWorkflows } from "@hephaestus/core/testing/conformance";
import { sqliteStorage } from "./node.ts";

const folder = mkdtempSync(join(tmpdir(), "hephaestus-runner-"));
let files = 0;
runnerConformance("local runner, one SQLite file", async () => ({
  engine: createHephaestus({
    workflows: [...runnerWorkflows],
    storage: sqliteStorage(join(folder, `${++files}.db`)),
    local: { sweepMs: 50 },
  }),
}));
