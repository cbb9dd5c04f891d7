// Sees an inline step of minutes to its end in `wrangler dev`, with nobody calling its object:
//
//   npm run long-step -w @hephaestus/edge-worker -- --seconds 180
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort, startServer, startWitness, wranglerDev } from "@hephaestus/dev-server";

/** How much later than the step's own time it may be over: a slow machine, or a second attempt, which is a failure. */
const PATIENCE_MS = 120_000;

const { seconds } = parseArgs({ options: { seconds: { type: "string", default: "180" } } }).values;
const state = await mkdtemp(join(tmpdir(), "long-step-"));
const over = Promise.withResolvers<void>();
const witness = await startWitness(join(state, "calls"), {
  status({ path }) {
    console.log(`${((Date.now() - began) / 1_000).toFixed(1)} s: ${path}`);
    if (path === "/after") over.resolve();
    return 200;
  },
});
const config = fileURLToPath(new URL("wrangler.jsonc", import.meta.url));
const vars = { WITNESS_URL: witness.url };
const server = startServer(wranglerDev({ config, port: await freePort(), state: join(state, "objects"), vars }));
let began = Date.now();
try {
  await server.ready;
  began = Date.now();
  const id = await (await fetch(`${server.url}/start?seconds=${seconds}`)).text();
  console.log(`started ${id}: nobody calls it from here on`);
  const late = setTimeout(() => over.reject(new Error("it is not over")), Number(seconds) * 1_000 + PATIENCE_MS);
  await over.promise;
  clearTimeout(late);
  const seen = witness.calls.map(({ path }) => path).join(" ");
  if (seen !== "/begins-1 /ends-1 /after") throw new Error(`seen: ${seen}`);
  console.log("it went through in one attempt");
} finally {
  await server.kill();
  witness.close();
  await rm(state, { recursive: true, force: true });
}
