import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";

/** Where and when something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly runtime: string;
  /** ISO 8601, UTC, to the minute. */
  readonly measuredAt: string;
  /** The last one that changed what is measured; with `+` when there were changes that are in no commit. */
  readonly commit: string;
  /** Of the last minute, before anything was measured: what else was running. */
  readonly load: number;
}

const git = (...args: string[]) =>
  execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    runtime: `Node ${process.versions.node}`,
    measuredAt: new Date().toISOString().slice(0, 16).replace("T", " "),
    commit: commitNow(),
    load: Math.round((loadavg()[0] as number) * 10) / 10,
  };
}

function commitNow(): string {
  const measured = ["core/src", "adapters"].map((folder) => `../../../${folder}`);
  try {
    const isChanged = git("status", "--porcelain", "--", ...measured) !== "";
    return git("log", "-1", "--format=%h", "--", ...measured) + (isChanged ? "+" : "");
  } catch {
    return "unknown";
  }
}
