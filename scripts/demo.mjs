// `npm run demo`: replays recorded GitHub deliveries against the worker. See apps/edge-worker/demo/main.ts.
import { main, must, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

async function demo() {
  await setup();
  await must("turbo", ["run", "build", "--output-logs=errors-only"]);
  const program = ["--conditions=@hephaestus/source", "apps/edge-worker/demo/main.ts"];
  process.exitCode = await run("node", [...program, ...process.argv.slice(2)]);
}

main(import.meta.url, demo);
