// Writes what is computed into docs/reference/cost.md: node --conditions=@hephaestus/source apps/edge-worker/cost/write-page.ts
import { readFileSync, writeFileSync } from "node:fs";
import { withParts } from "./page.ts";

const page = new URL("../../../docs/reference/cost.md", import.meta.url);
writeFileSync(page, withParts(readFileSync(page, "utf8")));
