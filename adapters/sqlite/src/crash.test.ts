import { readFileSync } from "node:fs";
import { LEASE_MS } from "@hephaestus/core";
import { expect, it } from "vitest";
import { newFile, startProcess } from "../test/processes.ts";
import { sqliteStorage } from "./node.ts";

const ENGINE = new URL("../test/engine.ts", import.meta.url);

/** What the witness saw: how often each step started, and the starts that came after the step's acknowledgement. */
function readWitness(name: string) {
  const acknowledged = new Set<string>();
  const starts = new Map<string, number>();
  const again: string[] = [];
  for (const line of readFileSync(name, "utf8").split("\n")) {
    const [what, ...step] = line.split(" ");
    const key = step.join(" ");
    if (what === "acknowledged") acknowledged.add(key);
    if (what !== "start") continue;
    starts.set(key, (starts.get(key) ?? 0) + 1);
    if (acknowledged.has(key)) again.push(key);
  }
  return { acknowledged, starts, again };
}

const statusesOf = async (fileName: string) => {
  const storage = sqliteStorage(fileName);
  const { items } = await storage.query({ limit: 500 });
  await storage.close();
  return items.map((item) => item.status);
};

it("200 instances in flight, SIGKILL, start again: all end at once, and no step starts again after its acknowledgement", async () => {
  const [fileName, witness] = [newFile(), newFile()];
  const killed = startProcess(ENGINE, fileName, witness, 1, 200, 100);
  await killed.until((lines) => lines.includes("acknowledged 300"));
  await killed.kill();
  const before = readWitness(witness);
  expect((await statusesOf(fileName)).filter((status) => status === "running").length).toBeGreaterThan(150);

  const next = startProcess(ENGINE, fileName, witness, 1, 0, 0);
  expect(await next.exitCode).toBe(0);
  expect(await statusesOf(fileName)).toEqual(Array(200).fill("completed"));
  const { again, acknowledged, starts } = readWitness(witness);
  expect(again).toEqual([]);
  // Six steps each, the gate among them; of those that had started, some had to start again.
  expect(acknowledged.size).toBeGreaterThan(1_000);
  expect(before.starts.size).toBeGreaterThan(150);
  expect([...starts.values()].some((count) => count > 1)).toBe(true);
  // The lock tells of the dead process, long before its leases run out.
  const tookMs = Number(next.lines().at(-1)?.split(" ")[1]);
  expect(tookMs).toBeLessThan(LEASE_MS / 2);
}, 120_000);

it("two processes on one file start and drive the same instances, and no step runs twice", async () => {
  const [fileName, witness] = [newFile(), newFile()];
  const processes = [
    startProcess(ENGINE, fileName, witness, 1, 60, 5),
    startProcess(ENGINE, fileName, witness, 30, 90, 5),
  ];
  expect(await Promise.all(processes.map(({ exitCode }) => exitCode))).toEqual([0, 0]);
  expect(await statusesOf(fileName)).toEqual(Array(90).fill("completed"));
  const { starts, again } = readWitness(witness);
  expect(again).toEqual([]);
  expect(starts.size).toBe(90 * 5);
  expect([...starts.values()].filter((count) => count > 1)).toEqual([]);
}, 120_000);

it("of two processes on one file, the one that lives takes over what the killed one drove", async () => {
  const [fileName, witness] = [newFile(), newFile()];
  const killed = startProcess(ENGINE, fileName, witness, 1, 50, 300);
  await killed.until((lines) => lines.includes("started"));
  const survivor = startProcess(ENGINE, fileName, witness, 51, 60, 50);
  await survivor.until((lines) => lines.includes("started"));
  await killed.kill();
  expect(await survivor.exitCode).toBe(0);
  expect(await statusesOf(fileName)).toEqual(Array(60).fill("completed"));
  expect(readWitness(witness).again).toEqual([]);
}, 120_000);
