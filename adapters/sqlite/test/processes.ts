import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** A path in a new folder. */
export const newFile = (): string => join(mkdtempSync(join(tmpdir(), "hephaestus-")), "test.db");

const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

export interface Process {
  /** The complete lines that it has written. */
  lines(): readonly string[];
  /** Waits for what it writes. */
  until(isDone: (lines: readonly string[]) => boolean): Promise<void>;
  /** Kills it as a power cut would. */
  kill(): Promise<void>;
  readonly exitCode: Promise<number | null>;
}

/** Runs a program in a process of its own. */
export function startProcess(program: URL, ...args: readonly (string | number)[]): Process {
  const options = ["--expose-gc", "--conditions=@hephaestus/source", fileURLToPath(program)];
  const child = spawn(process.execPath, [...options, ...args.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
  started.add(child);
  const closed = once(child, "close") as Promise<[number | null]>;
  void closed.then(() => started.delete(child));
  let output = "";
  let isClosed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  void closed.then(() => {
    isClosed = true;
  });
  const lines = () => output.split("\n").slice(0, -1);
  return {
    lines,
    async until(isDone) {
      while (!isDone(lines())) {
        if (isClosed) throw new Error(`${program.href} ended early:\n${output}`);
        await Promise.race([once(child.stdout, "data"), closed]);
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    exitCode: closed.then(([code]) => code),
  };
}
