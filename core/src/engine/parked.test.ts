import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, waitForEvent } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { engineRun } from "../testing/engine-run.ts";
import type { Command } from "./commands.ts";
import { toHeader } from "./header.ts";
import { COMMAND_RETENTION_MS } from "./limits.ts";
import { decideParked } from "./parked.ts";

const work = defineStep({ name: "work", run: () => {} });
const hold = waitForEvent({ name: "hold", events: { go: type<unknown>() } });
const flow = defineWorkflow({
  name: "flow",
  input: type<unknown>(),
  start: [work, hold],
  transitions: ({ on }) => [on(work, { done }), on(hold, { go: done })],
});

const event: Command = { type: "event", commandId: "e", event: "go" };
const deletion: Command = { type: "delete", commandId: "d" };
const cancel: Command = { type: "cancel", commandId: "c" };

/** What is decided without the code of a run that another runner drives. */
function decided(...commands: Command[]) {
  const run = engineRun(flow);
  run.runner = { id: "theirs", leaseMs: 30_000 };
  run.start();
  return decideParked(run.state, commands, run.now);
}

describe("what is decided without the code", () => {
  it("leaves a tombstone that nobody owns, and that is looked at when its time is over", () => {
    const { draft, changes } = decided(event, deletion);
    expect(changes).toMatchObject({ status: "deleted", owner: null });
    const header = toHeader(draft);
    expect(header.wakeAt).toBe(1_000 + COMMAND_RETENTION_MS);
    expect(header.owner).toBeUndefined();
  });

  it("does nothing to what was deleted in the same commit", () => {
    const { changes, replies } = decided(deletion, cancel);
    expect(changes).toMatchObject({ status: "deleted" });
    expect(replies[1]?.error).toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    expect(changes?.commands?.map(({ id }) => id)).not.toContain("c");
  });

  it("goes on with the first decision that has the code, whatever is asked of it", () => {
    const waiting = defineWorkflow({
      name: "flow",
      input: type<unknown>(),
      start: hold,
      transitions: ({ on }) => [on(hold, { go: done })],
    });
    const before = engineRun(waiting);
    before.start();
    const { changes } = decideParked(before.state, [cancel], before.now);
    const run = engineRun(waiting, [...before.records, { revision: 2, run: 1, changes: changes ?? { at: 0 } }]);
    run.runner = { id: "ours", leaseMs: 30_000 };
    const [refused, known] = run.send(event, cancel);
    expect(refused?.error).toMatchObject({ code: "STATUS_REFUSES" });
    expect(known).toEqual({ value: null });
    expect(run.statuses).toEqual({ hold: "cancelled" });
    expect(run.state).toMatchObject({ status: "cancelled", owner: undefined });
  });
});
