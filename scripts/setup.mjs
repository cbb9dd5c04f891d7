// Installs what package-lock.json names, when it is not installed yet. Once it is, this takes milliseconds and no network.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main, must, root } from "./lib.mjs";

const stamp = join(root, "node_modules/.hephaestus-installed");

/** The lock, and every package.json that it is made from; and the platform, whose binaries are installed. */
function wanted() {
  const packages = ["adapters", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  const manifests = ["core", "bench", ...packages].map((folder) => `${folder}/package.json`);
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["package-lock.json", "package.json", ...manifests]) {
    if (existsSync(join(root, file))) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

export async function setup() {
  const fresh = !existsSync(join(root, "node_modules"));
  if (!fresh && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted()) return;
  // A fresh tree gets the lock, exactly. Later changes are applied to what is there, which spares a whole new install.
  // Errors only: on the machine's older Node npm warns of packages that the workspace's own Node runs.
  await must("npm", [fresh ? "ci" : "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"]);
  writeFileSync(stamp, wanted());
}

main(import.meta.url, setup);
