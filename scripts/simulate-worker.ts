// A thread that runs the seeds that it is sent: see scripts/simulate.ts.
import { parentPort } from "node:worker_threads";
import { prepare, runSeeds, type Seeds } from "./simulate-seeds.ts";

prepare();
parentPort?.on("message", async (seeds: Seeds) => {
  parentPort?.postMessage(await runSeeds(seeds));
});
