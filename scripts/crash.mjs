// `npm run crash -- --instances 300 --kills 20 --seed 7`: kills a server under load. See apps/edge-worker/crash/main.ts.
import { main, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

async function crash() {
  await setup();
  const program = ["--conditions=@hephaestus/source", "apps/edge-worker/crash/main.ts"];
  process.exitCode = await run("node", [...program, ...process.argv.slice(2)]);
}

main(import.meta.url, crash);
