import { runnerConformance } from "../testing/runner-suite.ts";
import { runnerWorkflows } from "../testing/runner-workflows.ts";
import { createHephaestus } from "./hephaestus.ts";

runnerConformance("local runner, memory", async () => ({
  engine: createHephaestus({ workflows: [...runnerWorkflows], local: { sweepMs: 50 } }),
}));
