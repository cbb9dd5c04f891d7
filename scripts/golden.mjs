// `npm run golden`: keeps how the state is stored today, for all versions to come. See scripts/golden.ts.
import { main, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

main(import.meta.url, async () => {
  await setup();
  process.exitCode = await run("node", ["--conditions=@hephaestus/source", "scripts/golden.ts"]);
});
