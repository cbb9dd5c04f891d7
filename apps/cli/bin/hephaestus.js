#!/usr/bin/env node
// Says what is needed before anything is loaded that an older Node cannot read.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`hephaestus: Node 22.18 or newer is needed; this is ${process.version}`);
  process.exit(2);
}
await import("../dist/main.js");
