// What the scripts share. They are plain JavaScript, because they run before an install, on the machine's own Node.
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The environment of every child. The workspace's binaries come first on the PATH, and with them its own Node (the
 * machine's may be older). No tool phones home or asks a question.
 */
export function environment(...binFolders) {
  const bins = [...binFolders.map((folder) => join(root, folder)), root].map((folder) =>
    join(folder, "node_modules/.bin"),
  );
  return {
    ...process.env,
    PATH: [...bins, process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
    WRANGLER_SEND_METRICS: "false",
    DO_NOT_TRACK: "1",
    // npm warns at each script of settings that the machine has for other programs.
    npm_config_loglevel: "error",
  };
}

/** Runs a program in the foreground and answers its exit code. Signals that we get are passed on to it. */
export function run(command, args, { cwd = root, env = environment(), ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
      ...options,
    });
    const forward = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    child.on("error", reject);
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code ?? 1);
    });
  });
}

/** As `run`, for what must succeed. */
export async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) throw new Error(`\`${[command, ...args].join(" ")}\` failed with exit code ${code}`);
}

/** Runs a script's main function: an error is one line and exit code 1. */
export function main(url, action) {
  if (process.argv[1] !== fileURLToPath(url)) return;
  Promise.resolve()
    .then(action)
    .catch((error) => {
      console.error(`\n${error.message}`);
      process.exitCode = 1;
    });
}
