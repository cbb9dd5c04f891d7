import { expect, it } from "vitest";
import { newFile, startProcess } from "../test/processes.ts";

const OPENER = new URL("../test/opener.ts", import.meta.url);
/** Later than the last of them has loaded its modules, on most machines: else they open one after the other. */
const AHEAD_MS = 1_000;

it("processes that make one file at the same moment all open it", async () => {
  for (let round = 0; round < 3; round++) {
    const fileName = newFile();
    const when = Date.now() + AHEAD_MS;
    const processes = Array.from({ length: 6 }, () => startProcess(OPENER, fileName, when));
    expect(await Promise.all(processes.map(({ exitCode }) => exitCode))).toEqual(Array(6).fill(0));
  }
}, 60_000);
