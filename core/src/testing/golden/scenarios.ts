import type { AnyWorkflow, WorkflowInput } from "../../definition/workflow.ts";
import type { RunStatus, StepStatus } from "../../engine/state.ts";
import type { Random } from "../../runtime/clock.ts";
import { type TestEngine, testEngine } from "../test-engine.ts";
import { type VirtualClock, virtualClock } from "../virtual-clock.ts";
import { flows, restored } from "./flows.ts";
import { type KeptCommit, keepingStorage } from "./kept.ts";

type Open = (workflows?: readonly AnyWorkflow[], clock?: VirtualClock, random?: Random) => TestEngine;

/** A run that is worth keeping: how it comes to the point at which it is kept, and how it goes on from there. */
export interface Scenario {
  /** The code that its instance goes on with. */
  readonly workflows: readonly AnyWorkflow[];
  /** Brings the instance to where it is kept, with engines that may come and go. */
  play(open: Open): Promise<{ readonly id: string }>;
  /** Brings what was kept to its end. */
  finish(engine: TestEngine, id: string): Promise<unknown>;
  readonly ends: RunStatus;
}

const { waits, joins, undo, version1, version2, changed } = flows;
const by = { by: "Ann" };
const [FIRST_RUN, START] = ["first", { id: "start-1" }];
/** Longer than any timer here but one: time jumps from timer to timer, and not from lease to lease. */
const LEASE_MS = 10 * 86_400_000;

/** The step of a workflow by its name, as the test kit wants it. */
function stepOf(workflow: AnyWorkflow, name: string) {
  const found = workflow.definition.edges.find(({ step }) => step.name === name)?.step;
  if (found) return found;
  throw new Error(`${workflow.name} has no step ${name}`);
}

/** Begins a run of `undo`, up to a step. */
async function beginUndo(
  engine: TestEngine,
  step: string,
  status: Exclude<StepStatus, "idle">,
  input: WorkflowInput<typeof undo> = {},
) {
  const one = await engine.for(undo).start(FIRST_RUN, input, START);
  await engine.waitForStep(one, stepOf(undo, step), status);
  return one;
}

async function finishUndo(engine: TestEngine, id: string): Promise<void> {
  restored.add(id);
  await engine.waitForStep(id, stepOf(undo, "confirm"), "waiting");
  await engine.resume(id, "confirmed", by);
  await engine.result(id);
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  waits: {
    workflows: [waits],
    async play(open) {
      const telemetry = { request: "r1" };
      const engine = open();
      const one = await engine
        .for(waits)
        .start(FIRST_RUN, {}, { ...START, tags: ["vip"], metadata: { note: 1 }, parent: "other/1", telemetry });
      await engine.waitForStep(one, stepOf(waits, "signature"), "waiting");
      return one;
    },
    async finish(engine, id) {
      await engine.resume(id, "signed", by);
      await engine.result(id);
    },
    ends: "completed",
  },
  inbox: {
    workflows: [waits],
    async play(open) {
      const engine = open();
      const one = await engine.for(waits).start(FIRST_RUN, { reserve: "fail" }, START);
      await one.resume("approved", by, { id: "early" });
      await one.resume("rejected", undefined, { id: "never-taken" });
      await one.resume("signed", by, { id: "for-one-step", step: "signature" });
      await one.scheduleResume("cool_off", { days: 1 }, { id: "sooner" });
      restored.add(one.id);
      await engine.waitForStep(one, stepOf(waits, "signature"));
      restored.delete(one.id);
      return one;
    },
    finish: (engine, id) => engine.result(id),
    ends: "completed",
  },
  joins: {
    workflows: [joins],
    async play(open) {
      const engine = open();
      const one = await engine.for(joins).start(FIRST_RUN, { optional: "fail" }, START);
      await engine.waitForStep(one, stepOf(joins, "last"), "waiting");
      return one;
    },
    async finish(engine, id) {
      await engine.resume(id, "end", by);
      await engine.result(id);
    },
    ends: "completed",
  },
  "checkpoint-of-a-dead-process": {
    workflows: [undo],
    async play(open) {
      // A process that stands still does not renew its lease. Its id is its own.
      const engine = open([undo], virtualClock(), () => 0.5);
      const one = await beginUndo(engine, "upload", "active", { upload: "never" });
      await engine.clock.settle();
      // Its lease runs out, and another takes over.
      await open().clock.advance(2 * LEASE_MS);
      return one;
    },
    finish: finishUndo,
    ends: "completed",
  },
  "retrying-after-an-error": {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await engine.for(undo).start(FIRST_RUN, { book: "fail" }, START);
      await engine.clock.settle();
      return one;
    },
    finish: finishUndo,
    ends: "completed",
  },
  paused: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await beginUndo(engine, "confirm", "waiting");
      await one.pause({ id: "pause-1" });
      await one.resume("confirmed", by, { id: "while-paused" });
      return one;
    },
    async finish(engine, id) {
      await engine.unpause(id);
      await engine.result(id);
    },
    ends: "completed",
  },
  compensating: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await engine.for(undo).start(FIRST_RUN, { pay: "fail", undo_book: "fail" }, START);
      await engine.waitForStatus(one, "compensating");
      await engine.clock.settle();
      return one;
    },
    async finish(engine, id) {
      await engine.waitForStatus(id, "failed");
    },
    ends: "failed",
  },
  failed: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await engine.for(undo).start(FIRST_RUN, { pay: "fail", undo_book: "fail" }, START);
      await engine.waitForStatus(one, "failed");
      return one;
    },
    async finish(engine, id) {
      restored.add(id);
      await engine.retry(id);
      await finishUndo(engine, id);
    },
    ends: "completed",
  },
  "retried-with-new-epochs": {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await engine.for(undo).start(FIRST_RUN, { upload: "fail" }, START);
      await engine.waitForStatus(one, "failed");
      restored.add(one.id);
      await one.retry({ id: "retry-1" });
      await engine.waitForStep(one, stepOf(undo, "confirm"), "waiting");
      restored.delete(one.id);
      return one;
    },
    finish: finishUndo,
    ends: "completed",
  },
  cancelling: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await beginUndo(engine, "pay", "active", { pay: "never" });
      await one.cancel({ id: "cancel-1" });
      return one;
    },
    async finish(engine, id) {
      await engine.waitForStatus(id, "cancelled");
    },
    ends: "cancelled",
  },
  cancelled: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await beginUndo(engine, "pay", "active", { pay: "never" });
      await one.cancel({ id: "cancel-1" });
      await engine.waitForStatus(one, "cancelled");
      return one;
    },
    async finish(engine, id) {
      restored.add(id);
      await engine.restart(id);
      await finishUndo(engine, id);
    },
    ends: "completed",
  },
  "several-runs": {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await beginUndo(engine, "confirm", "waiting");
      await one.cancel({ id: "cancel-1" });
      await engine.waitForStatus(one, "cancelled");
      await engine.clock.advance(60_000);
      const two = await engine.restart(one.id, { id: "restart-1" });
      await engine.send(two, stepOf(undo, "confirm"), "confirmed", by);
      await two.result();
      const three = await engine.restart(one.id, { id: "restart-2" });
      await engine.waitForStep(three, stepOf(undo, "confirm"), "waiting");
      return three;
    },
    finish: finishUndo,
    ends: "completed",
  },
  deleted: {
    workflows: [undo],
    async play(open) {
      const engine = open();
      const one = await engine.for(undo).start(FIRST_RUN, {}, START);
      await one.cancel({ id: "cancel-1" });
      await engine.waitForStatus(one, "cancelled");
      await one.delete({ id: "delete-1" });
      return one;
    },
    async finish(engine, id) {
      // Its commands are remembered still.
      await engine.delete(id, { id: "delete-1" });
    },
    ends: "deleted",
  },
  "parked-by-version": {
    workflows: [version1, version2],
    async play(open) {
      const engine = open([version1]);
      const one = await engine.for(version1).start(FIRST_RUN, {}, START);
      await engine.waitForStep(one, stepOf(version1, "hold"), "waiting");
      await engine.close();
      // A runner without its code takes what is addressed to it, and leaves it as it is.
      open([version2]);
      return one;
    },
    async finish(engine, id) {
      await engine.resume(id, "go", by);
      await engine.result(id);
    },
    ends: "completed",
  },
  adopted: {
    workflows: [changed],
    async play(open) {
      const before = open([version1]);
      const one = await before.for(version1).start(FIRST_RUN, {}, START);
      await before.waitForStep(one, stepOf(version1, "hold"), "waiting");
      await before.close();
      await open([changed]).adopt(one.id, { id: "adopt-1" });
      return one;
    },
    async finish(engine, id) {
      await engine.resume(id, "go", by);
      await engine.waitForStep(id, stepOf(changed, "two"));
      await engine.result(id);
    },
    ends: "completed",
  },
};

/** Plays a scenario: everything that was committed. The same in every detail each time, on every machine. */
export async function play({
  workflows,
  play,
}: Scenario): Promise<{ readonly id: string; readonly commits: KeptCommit[] }> {
  const shared = virtualClock();
  const { storage, commits } = keepingStorage();
  const open: Open = (own = workflows, clock = shared, random = undefined) =>
    testEngine({ workflows: own, clock, storage, local: { leaseMs: LEASE_MS }, ...(random ? { random } : {}) });
  const { id } = await play(open);
  await shared.settle();
  return { id, commits: [...commits] };
}
