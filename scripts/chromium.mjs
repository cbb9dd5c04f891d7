// Finds a Chromium for the tests, and installs one when there is none. Prints its path, and keeps it for the next time.
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { environment, main, root, run } from "./lib.mjs";

const cache = join(root, ".cache/chromium.json");
const PLAYWRIGHT_DOWNLOAD_MS = 180_000;

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

const browserOnPath = () => onPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

async function playwrightOwn() {
  const { chromium } = await import("playwright");
  const path = () => (isProgram(chromium.executablePath()) ? chromium.executablePath() : undefined);
  if (path()) return path();
  console.error("No browser on the PATH: asking playwright to download one …");
  // It may have no way out of this network; apt is tried next.
  await run("playwright", ["install", "chromium"], {
    stdio: ["ignore", "ignore", "ignore"],
    timeout: PLAYWRIGHT_DOWNLOAD_MS,
  }).catch(() => 1);
  return path();
}

async function fromApt() {
  if (!onPath("apt-get")) return undefined;
  const isRoot = process.getuid?.() === 0;
  const asRoot = (...args) =>
    run(isRoot ? args[0] : "sudo", isRoot ? args.slice(1) : ["-n", ...args], {
      env: { ...environment(), DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    }).catch(() => 1);
  console.error("Installing Debian's chromium …");
  await asRoot("apt-get", "update", "-qq");
  await asRoot("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium");
  return browserOnPath();
}

export async function findChromium() {
  const wanted = process.env.HEPHAESTUS_CHROMIUM;
  if (wanted) {
    if (!isProgram(wanted)) throw new Error(`HEPHAESTUS_CHROMIUM is ${wanted}, which is no program`);
    return wanted;
  }
  const known = existsSync(cache) ? JSON.parse(readFileSync(cache, "utf8")).path : undefined;
  if (known && isProgram(known)) return known;

  const path = browserOnPath() ?? (await playwrightOwn()) ?? (await fromApt());
  if (!path) {
    throw new Error(
      "No Chromium found, and none could be installed (tried the PATH, playwright's download and apt).\n" +
        "Install one, or set HEPHAESTUS_CHROMIUM to the path of a Chromium or Chrome.",
    );
  }
  // Started once, so that a browser that cannot run is found out here and not in the middle of the tests.
  execFileSync(path, ["--version"], { stdio: ["ignore", "ignore", "ignore"] });
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(cache, `${JSON.stringify({ path })}\n`);
  return path;
}

main(import.meta.url, async () => console.log(await findChromium()));
