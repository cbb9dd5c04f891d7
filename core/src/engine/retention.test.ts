import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun } from "../testing/engine-run.ts";
import { pendingWork } from "./pending.ts";

const HOUR_MS = 3_600_000;
const work = defineStep({ name: "work", run: () => {}, retry: { maxAttempts: 1 } });
const kept = { name: "kept", input: type<unknown>(), start: work };
const forHours = (hours?: number) =>
  defineWorkflow({
    ...kept,
    ...(hours === undefined ? {} : { retention: { hours } }),
    transitions: ({ on }) => [on(work, { done })],
  });

function ended(hours?: number): EngineRun {
  const run = engineRun(forHours(hours));
  run.start();
  run.ends("work");
  return run;
}

describe("an ended run", () => {
  it("is kept for the time that its workflow sets, and says when that is over", () => {
    const run = ended(1);
    const { endedAt = 0 } = run.state;
    expect(run.header?.wakeAt).toBe(endedAt + HOUR_MS);
    expect(pendingWork(run.graph, run.state).wakeAt).toBe(endedAt + HOUR_MS);
    run.pass(HOUR_MS - 1);
    expect(run.state.status).toBe("completed");
    run.pass(1);
    expect(run.state.status).toBe("deleted");
  });

  it("leaves a tombstone, in which its commands may still be found", () => {
    const run = ended(1);
    const commands = [...run.state.commands.keys()];
    run.pass(HOUR_MS);
    expect([...run.state.commands.keys()]).toEqual(commands);
    expect(pendingWork(run.graph, run.state).wakeAt).toBeUndefined();
  });

  it("is kept for ever where nothing is said", () => {
    const run = ended();
    expect(run.header?.wakeAt).toBeUndefined();
    run.pass(1_000_000 * HOUR_MS);
    expect(run.state.status).toBe("completed");
  });

  it("begins its time anew when a retry ends again", () => {
    const run = engineRun(forHours(1));
    run.start();
    run.fails("work", { retryable: false });
    run.pass(HOUR_MS / 2);
    run.control("retry");
    run.fails("work", { retryable: false });
    run.pass(HOUR_MS / 2);
    expect(run.state.status).toBe("failed");
    run.pass(HOUR_MS / 2);
    expect(run.state.status).toBe("deleted");
  });
});
