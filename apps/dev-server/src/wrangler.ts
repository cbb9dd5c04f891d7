import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerCommand } from "./server.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface WranglerDev {
  /** The worker's `wrangler.jsonc`, as a path. */
  readonly config: string;
  readonly port: number;
  /** The folder with the state of objects and databases: it survives the server. */
  readonly state: string;
  readonly vars?: Readonly<Record<string, string>>;
  /** wrangler records a trace of every call unless told not to, which costs much of its speed. */
  readonly tracing?: boolean;
}

/** The command that serves a worker, from the sources of our packages, with `wrangler dev`. */
export function wranglerDev({ config, port, state, vars = {}, tracing = false }: WranglerDev): ServerCommand {
  const flags = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  // The worker's own wrangler, which need not be the one that the test lanes bring along.
  const wrangler = join(root, "apps/edge-worker/node_modules/wrangler/bin/wrangler.js");
  const quiet = ["--inspector-port", "0", "--show-interactive-dev-session=false", "--log-level", "warn"];
  return {
    program: process.execPath,
    args: [wrangler, "dev", "--config", config, "--persist-to", state, "--port", String(port), ...quiet, ...flags],
    cwd: root,
    env: {
      CI: "true",
      WRANGLER_SEND_METRICS: "false",
      DO_NOT_TRACK: "1",
      WRANGLER_BUILD_CONDITIONS: "@hephaestus/source,workerd,worker,browser",
      X_LOCAL_OBSERVABILITY: String(tracing),
    },
    port,
  };
}
