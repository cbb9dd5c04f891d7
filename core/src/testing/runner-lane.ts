import type { RunStatus, StepStatus } from "../engine/state.ts";
import { createHephaestus, type Hephaestus, type HephaestusOptions } from "../runtime/hephaestus.ts";
import type { Storage } from "../runtime/storage.ts";
import { mortalStorage } from "./mortal-storage.ts";
import { runnerWorkflows } from "./runner-workflows.ts";

/** An engine with the code of `runnerWorkflows`, on the runner under test. */
export interface RunnerLane {
  readonly engine: Hephaestus;
  /** What the runner tells, before and after a crash; undefined where it tells nothing. */
  readonly telemetry?: NonNullable<HephaestusOptions["telemetry"]>;
  /** Ends the runner as a crash does, in the middle of whatever it does, and answers an engine on what it left. */
  crash(): Promise<Hephaestus>;
}

/**
 * A lane of the local runner.
 * @param open opens the same place each time, as another process would
 * @param telemetry a bus of its own
 * @example
 * runnerConformance("local runner, one file", async () => localLane(() => sqliteStorage("flows.db"), telemetryBus()));
 */
export function localLane(open: () => Storage, telemetry: NonNullable<RunnerLane["telemetry"]>): RunnerLane {
  const on = (storage: Storage) =>
    createHephaestus({
      workflows: [...runnerWorkflows],
      storage,
      telemetry,
      local: { sweepMs: 50, leaseMs: 500 },
    });
  const mortal = mortalStorage(open());
  return {
    engine: on(mortal.storage),
    telemetry,
    async crash() {
      mortal.kill();
      return on(open());
    },
  };
}

/** What a test of a runner begins with: an engine, and a key that no other test uses. */
export type SetUp = () => Promise<{ lane: RunnerLane; engine: Hephaestus; key: string }>;

interface Named {
  readonly id: string;
}

/** Waits until an instance has this status. */
export function reaches(engine: Hephaestus, { id }: Named, status: RunStatus): Promise<void> {
  return untilSeen(engine, id, async () => (await engine.get(id)).status === status);
}

/** Waits until a step of an instance has this status. */
export function stepReaches(engine: Hephaestus, { id }: Named, step: string, status: StepStatus): Promise<void> {
  return untilSeen(engine, id, async () => (await engine.get(id)).steps[step]?.status === status);
}

/** Looks now and after each change of an instance, until it holds. */
export function untilSeen(engine: Hephaestus, id: string, holds: () => Promise<boolean>): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () =>
      holds().then((does) => {
        if (!does) return;
        stop();
        resolve();
      }, reject);
    const stop = engine.subscribe(id, look);
    void look();
  });
}
