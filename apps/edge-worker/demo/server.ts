import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** How long a server may take to answer, in milliseconds: a first start on a slow machine. */
const START_MS_MAX = 120_000;
const POLL_MS = 100;

/** The worker in a process group of its own, so that all of it can be killed at once. */
export interface Server {
  readonly url: string;
  /** What power loss does: no process of it gets to say goodbye. */
  kill(): Promise<void>;
}

export async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

/** Starts the worker on a state folder and waits until it answers. */
export async function startServer(
  port: number,
  state: string,
  vars: Readonly<Record<string, string>>,
): Promise<Server> {
  const flags = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(process.execPath, ["scripts/start.mjs", "--built", "--state", state, ...flags], {
    cwd: root,
    env: { ...process.env, PORT: String(port) },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  child.stderr.on("data", (data) => {
    output += data;
  });
  const url = `http://localhost:${port}`;
  const end = Date.now() + START_MS_MAX;
  while (!(await isUp(url))) {
    if (child.exitCode !== null || Date.now() > end) {
      killGroup(child);
      throw new Error(`the worker did not start:\n${output.slice(-3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const killOnExit = () => killGroup(child);
  process.on("exit", killOnExit);
  return {
    url,
    async kill() {
      process.off("exit", killOnExit);
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      killGroup(child);
      await exited;
      while (await isUp(url)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    },
  };
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGKILL");
  } catch {
    // It is gone already.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
