// `npm start`: the whole system on this machine, the edge worker with the web app in front: http://localhost:8787
//
//   PORT=3000 npm start     another port
//
// What it stores stands in .wrangler-state: delete that folder to begin anew.
import { join } from "node:path";
import { environment, main, must, root, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

const app = "apps/edge-worker";

// npm, when it is killed, dies alone and leaves us and the server behind: then we stop as well.
const PARENT_CHECK_MS = 500;
const parent = process.ppid;
const watch = () => setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGTERM"), PARENT_CHECK_MS);

async function start() {
  await setup();
  await must("turbo", ["run", "build", "--output-logs=errors-only"]);
  // The app's own wrangler, which need not be the one that the tests bring along; CI means that it asks nothing.
  const options = { cwd: join(root, app), env: { ...environment(app), CI: "true" } };
  const state = ["--persist-to", join(root, ".wrangler-state")];
  await must("wrangler", ["d1", "migrations", "apply", "DB", "--local", ...state], options);
  const port = process.env.PORT || "8787";
  const flags = ["--port", port, "--inspector-port", "0", "--show-interactive-dev-session=false"];
  const watching = watch();
  process.exitCode = await run("wrangler", ["dev", ...state, ...flags], options);
  clearInterval(watching);
}

main(import.meta.url, start);
