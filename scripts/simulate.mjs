// `npm run simulate -- --seeds 1000`: runs the simulator on random workflows. See scripts/simulate.ts.
import { main, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

async function simulate() {
  await setup();
  const program = ["--conditions=@hephaestus/source", "scripts/simulate.ts"];
  process.exitCode = await run("node", [...program, ...process.argv.slice(2)]);
}

main(import.meta.url, simulate);
