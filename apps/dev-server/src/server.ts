import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** How long a server may take to answer, in milliseconds: a first start on a slow machine. */
const START_MS_MAX = 120_000;
const POLL_MS = 50;

/** A server in a process group of its own, so that all of it can be killed at once. */
export interface Server {
  readonly url: string;
  /** Resolves once it answers. @throws Error when it ends before that, other than by `kill` */
  readonly ready: Promise<void>;
  /** The last that it printed. */
  output(): string;
  /** What power loss does: no process of it gets to say goodbye. */
  kill(): Promise<void>;
}

/** A program that serves on a port. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const OUTPUT_LENGTH_MAX = 20_000;

/** Whether something answers at `/health`. */
export async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

/** Starts a server; `ready` tells when it answers. */
export function startServer({ program, args, cwd, env = {}, port }: ServerCommand): Server {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (data: Buffer) => {
    output = (output + String(data)).slice(-OUTPUT_LENGTH_MAX);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const exited = once(child, "exit").then(() => {});
  const killOnExit = () => killGroup(child);
  process.on("exit", killOnExit);
  // A signal ends this process without the event above, and would leave the server behind.
  const exit = () => process.exit(1);
  for (const signal of SIGNALS) process.on(signal, exit);
  let killed = false;
  const url = `http://localhost:${port}`;

  async function answers(): Promise<void> {
    const end = Date.now() + START_MS_MAX;
    while (!(await isUp(url))) {
      if (killed) return;
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > end) {
        killGroup(child);
        throw new Error(`the server did not start:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  return {
    url,
    ready: answers(),
    output: () => output,
    async kill() {
      killed = true;
      process.off("exit", killOnExit);
      for (const signal of SIGNALS) process.off(signal, exit);
      killGroup(child);
      await exited;
      // Its children are gone when nobody holds the port any more.
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
