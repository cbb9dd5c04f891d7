// `npm start`: the whole system on this machine, the edge worker with the web app in front: http://localhost:8787
//
//   PORT=3000 npm start                     another port
//   npm start -- --state folder             where it stores; .wrangler-state unless said otherwise. Delete it to begin anew.
//   npm start -- --var NAME:VALUE           a variable of the worker
//   npm start -- --built                    everything is installed and built already
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { environment, main, must, root, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

const app = "apps/edge-worker";

/** The secret that deliveries are signed with on this machine; a deployment has its own. */
const DEVELOPMENT_SECRET = "development";

// npm, when it is killed, dies alone and leaves us and the server behind: then we stop as well.
const PARENT_CHECK_MS = 500;
const parent = process.ppid;
const watch = () => setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGTERM"), PARENT_CHECK_MS);

async function start() {
  const { values } = parseArgs({
    options: {
      state: { type: "string", default: ".wrangler-state" },
      var: { type: "string", multiple: true, default: [] },
      built: { type: "boolean", default: false },
    },
  });
  if (!values.built) {
    await setup();
    await must("turbo", ["run", "build", "--output-logs=errors-only"]);
  }
  // The app's own wrangler, which need not be the one that the tests bring along; CI means that it asks nothing.
  const options = { cwd: join(root, app), env: { ...environment(app), CI: "true" } };
  const state = ["--persist-to", resolve(root, values.state)];
  await must("wrangler", ["d1", "migrations", "apply", "DB", "--local", ...state], { ...options, stdio: "pipe" });
  const port = process.env.PORT || "8787";
  const vars = [`GITHUB_WEBHOOK_SECRET:${DEVELOPMENT_SECRET}`, ...values.var].flatMap((one) => ["--var", one]);
  const flags = ["--port", port, "--inspector-port", "0", "--show-interactive-dev-session=false", ...vars];
  const watching = watch();
  process.exitCode = await run("wrangler", ["dev", ...state, ...flags], options);
  clearInterval(watching);
}

main(import.meta.url, start);
