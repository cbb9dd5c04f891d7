import { describe, expect, it } from "vitest";
import { applyRecord, emptyRun, foldRecords } from "../../engine/run-state.ts";
import { type RunInfo, STATE_FORMAT, type StepState } from "../../engine/state.ts";
import { memoryStorage } from "../../runtime/memory-storage.ts";
import { testEngine } from "../test-engine.ts";
import { virtualClock } from "../virtual-clock.ts";
import { restored } from "./flows.ts";
import { type GoldenFile, restore } from "./kept.ts";
import { makeGolden, viewOf } from "./make-golden.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { shapeOf } from "./shape.ts";

/*
 * What any version has stored, this one goes on with. The files are never written again; `npm run golden` writes those
 * of a new format, or of a new scenario. (Until the first release nobody has stored anything: until then a change of
 * what is stored is kept by deleting the folder of format 1 and writing it anew.)
 */
const files = import.meta.glob<GoldenFile>("./v*/*.json", { eager: true, import: "default" });
const golden = Object.entries(files).map(([path, file]) => ({ name: path.slice(2, -".json".length), file }));
const ofToday = golden.filter(({ file }) => file.format === STATE_FORMAT);

function scenarioOf({ scenario }: GoldenFile): Scenario {
  const found = scenarios[scenario];
  if (found) return found;
  throw new Error(`the scenario ${scenario} is gone: a golden file keeps its scenario for ever`);
}

/** An engine of today on what was stored then, when the lease of whoever stored it is over. */
async function takeUp(file: GoldenFile) {
  const leases = file.commits.map(({ changes }) => changes.owner?.until ?? changes.at);
  const storage = await restore(file);
  const { workflows } = scenarioOf(file);
  return { storage, engine: testEngine({ workflows, storage, clock: virtualClock(Math.max(...leases) + 1) }) };
}

describe.each(golden)("the golden file $name", ({ file }) => {
  it("is of the format that its folder says", () => {
    const formats = file.commits.flatMap(({ changes }) => changes.run?.format ?? []);
    expect(new Set(formats)).toEqual(new Set([file.format]));
  });

  it("is seen as it was seen then", async () => {
    const view = await viewOf(await restore(file), file.id, scenarioOf(file));
    // What callers see may grow.
    if (file.view === null) expect(view).toBeNull();
    else expect(view).toMatchObject(file.view);
  });

  it("goes on, to its end", async () => {
    const { engine } = await takeUp(file);
    restored.delete(file.id);
    await scenarioOf(file).finish(engine, file.id);
    restored.delete(file.id);
    const status = await engine.get(file.id).then(
      (view) => view.status,
      ({ code }: { code: unknown }) => (code === "INSTANCE_NOT_FOUND" ? "deleted" : code),
    );
    expect(status).toBe(file.ends);
    await engine.close();
  });
});

describe("today's format", () => {
  it("has a golden file for each scenario", () => {
    expect(ofToday.map(({ file }) => file.scenario).sort()).toEqual(Object.keys(scenarios).sort());
  });

  it("is what the golden files hold: who changes it raises STATE_FORMAT, and keeps the new format by `npm run golden`", async () => {
    const today = new Set<string>();
    for (const [name, scenario] of Object.entries(scenarios)) {
      const { commits } = await makeGolden(name, scenario);
      for (const line of shapeOf(commits)) today.add(line);
    }
    const kept = new Set(ofToday.flatMap(({ file }) => [...shapeOf(file.commits)]));
    expect([...today].filter((line) => !kept.has(line))).toEqual([]);
    expect([...kept].filter((line) => !today.has(line))).toEqual([]);
  });

  it("is met by the scenarios in every field", () => {
    const steps: Record<keyof StepState, true> = {
      status: true,
      attempt: true,
      failures: true,
      interruptions: true,
      epoch: true,
      wakeAt: true,
      wakeEvent: true,
      since: true,
      startedAt: true,
      event: true,
      targets: true,
      result: true,
      taken: true,
      takenAt: true,
      metadata: true,
      error: true,
      unknown: true,
      outrun: true,
      checkpoints: true,
      compensation: true,
      compensations: true,
    };
    const runs: Record<keyof RunInfo, true> = {
      format: true,
      run: true,
      workflow: true,
      version: true,
      fingerprint: true,
      key: true,
      tags: true,
      metadata: true,
      telemetry: true,
      commands: true,
      parent: true,
    };
    const kept = [...new Set(ofToday.flatMap(({ file }) => [...shapeOf(file.commits)]))];
    const unmet = (fields: object, path: string) =>
      Object.keys(fields).filter((field) => !kept.some((line) => new RegExp(`^${path}\\.${field}[ .[]`).test(line)));
    expect(unmet(steps, "changes\\.steps\\.\\*")).toEqual([]);
    expect(unmet(runs, "changes\\.run")).toEqual([]);
  });
});

describe("a format that is newer than this version", () => {
  /** A golden run as a later version would have stored it. */
  async function newer() {
    const { file } = ofToday.find(({ file }) => file.scenario === "several-runs")!;
    const commits = file.commits.map((commit) => {
      const { run } = commit.changes;
      if (run === undefined || run.run < 3) return commit;
      const info = { ...run, format: STATE_FORMAT + 1 } as unknown as RunInfo;
      return { ...commit, changes: { ...commit.changes, run: info } };
    });
    return { ...file, commits };
  }
  const refusal = { code: "FORMAT_NEWER", details: { format: STATE_FORMAT + 1, newest: STATE_FORMAT } };

  it("is refused to every caller, with its number, and nothing of it is touched", async () => {
    const file = await newer();
    const { engine, storage } = await takeUp(file);
    const before = await storage.load(file.id);
    expect(before?.length).toBeGreaterThan(0);
    const { id } = file;
    await expect(engine.get(id)).rejects.toMatchObject(refusal);
    await expect(engine.history(id)).rejects.toMatchObject(refusal);
    await expect(engine.resume(id, "confirmed")).rejects.toMatchObject(refusal);
    await expect(engine.cancel(id)).rejects.toMatchObject(refusal);
    await expect(engine.delete(id)).rejects.toMatchObject(refusal);
    await expect(engine.start("golden_undo", {}, { key: "first" })).rejects.toMatchObject(refusal);
    // Nor by the runner's own looking around.
    await engine.clock.advance(3_600_000);
    expect(await storage.load(id)).toEqual(before);
    await engine.close();
    expect(await storage.load(id)).toEqual(before);
  });

  it("is refused by what folds it, which stays as it was", async () => {
    const { id, commits } = await newer();
    const records = commits.map(({ expected, ...commit }) => ({ ...commit, revision: expected + 1 }));
    expect(() => foldRecords(id, records, undefined)).toThrow(expect.objectContaining({ code: refusal.code }));
    const first = records.findIndex(({ changes }) => (changes.run?.format as number) > STATE_FORMAT);
    const state = foldRecords(id, records.slice(0, first), undefined);
    const before = structuredClone(state);
    expect(() => applyRecord(state, records[first]!, undefined)).toThrow(
      expect.objectContaining({ code: refusal.code }),
    );
    expect(state).toEqual(before);
    expect(emptyRun(id).revision).toBe(0);
  });

  it("is refused to who drove the run before, when it finds that a newer version went on", async () => {
    const file = await newer();
    const first = file.commits.findIndex(({ changes }) => (changes.run?.format as number) > STATE_FORMAT);
    const storage = memoryStorage();
    for (const commit of file.commits.slice(0, first)) await storage.commit([commit]);
    const { workflows } = scenarioOf(file);
    const last = file.commits[first - 1]!.changes.at;
    const engine = testEngine({ workflows, storage, clock: virtualClock(last) });
    expect((await engine.get(file.id)).status).toBe("completed");
    for (const commit of file.commits.slice(first)) await storage.commit([commit]);
    const before = await storage.load(file.id);
    await expect(engine.restart(file.id)).rejects.toMatchObject(refusal);
    expect(await storage.load(file.id)).toEqual(before);
    await engine.close();
  });
});
