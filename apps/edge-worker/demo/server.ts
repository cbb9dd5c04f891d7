import { fileURLToPath } from "node:url";
import type { ServerCommand } from "@hephaestus/dev-server";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The command that serves the worker as `npm start` does, as it was built, on a state folder. */
export function builtWorker(port: number, state: string, vars: Readonly<Record<string, string>>): ServerCommand {
  const flags = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  return {
    program: process.execPath,
    args: ["scripts/start.mjs", "--built", "--state", state, ...flags],
    cwd: root,
    env: { PORT: String(port) },
    port,
  };
}
