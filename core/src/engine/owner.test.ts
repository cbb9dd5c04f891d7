import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, waitForEvent } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";
import { Draft } from "./draft.ts";
import { toHeader } from "./header.ts";
import type { Owner } from "./state.ts";

const any = type<unknown>();
const LEASE_MS = 30_000;
const ours = { id: "ours", leaseMs: LEASE_MS };
const theirs = { id: "theirs", leaseMs: LEASE_MS };

const work = defineStep({
  name: "work",
  run: () => {},
  compensate: () => {},
  retry: { maxAttempts: 2, initial: { minutes: 10 }, max: { minutes: 10 }, jitter: false },
});
const review = waitForEvent({ name: "review", events: { ok: any }, timeout: { hours: 1 } });
const last = defineStep({ name: "last", run: () => {}, retry: { maxAttempts: 1 } });
const flow = defineWorkflow({
  name: "flow",
  input: any,
  start: work,
  transitions: ({ on }) => [
    on(work, { done: review }),
    on(review, { ok: last, timeout: done }),
    on(last, { done: done }),
  ],
});

function begun(): EngineRun {
  const run = engineRun(flow);
  run.runner = ours;
  run.start();
  return run;
}

describe("a runner", () => {
  it("owns a run from its start on while there is something to drive", () => {
    const run = begun();
    expect(run.state.owner).toEqual({ id: "ours", until: 1_000 + LEASE_MS });
    expect(run.header).toMatchObject({ owner: "ours", wakeAt: 1_000 + LEASE_MS });
  });

  it("keeps its lease, and writes no row for that, while more than five eighths of it are left", () => {
    const run = begun();
    const { revision } = run.state;
    run.pass((LEASE_MS * 3) / 8 - 1);
    expect(run.state.revision).toBe(revision);
  });

  it("renews its lease when three eighths of it are over", () => {
    const run = begun();
    run.pass((LEASE_MS * 3) / 8);
    expect(run.state.owner).toEqual({ id: "ours", until: run.now + LEASE_MS });
    expect(run.header).toMatchObject({ revision: 2, wakeAt: run.now + LEASE_MS });
  });

  it("gives the run back when only waits are left: the row says when to look next", () => {
    const run = begun();
    run.ends("work");
    expect(run.state.owner).toBeUndefined();
    expect(run.header).toMatchObject({ status: "waiting", current: ["review"], wakeAt: run.now + 3_600_000 });
    expect(run.header?.owner).toBeUndefined();
  });

  it("says of a step that it was not begun as its owner alone: another begins it under the same token", () => {
    const notBegun = { type: "aborted", step: "work", attempt: 1, begun: false } as const;
    const run = begun();
    expect(run.do(notBegun)).toBe("recorded");
    expect(run.state.owner).toBeUndefined();
    expect(run.step("work")).toMatchObject({ status: "active", wakeAt: run.now });
    run.runner = theirs;
    run.do({ type: "wake" });
    expect(run.state.owner?.id).toBe("theirs");
    const { revision } = run.state;
    run.runner = ours;
    expect(run.do(notBegun)).toBe("ignored");
    expect(run.state.revision).toBe(revision);
  });

  it("gives the run back during a long back-off", () => {
    const run = begun();
    run.fails("work");
    expect(run.state.owner).toBeUndefined();
    expect(run.header).toMatchObject({ status: "running", wakeAt: run.now + 600_000 });
  });

  it("gives the run back during the back-off of a compensation, and takes it when that is over", () => {
    const run = begun();
    run.ends("work");
    run.control("cancel");
    expect(run.state.owner?.id).toBe("ours");
    run.undoes("work", { error: storedError(), jitter: 0 });
    expect(run.state.owner).toBeUndefined();
    expect(run.header).toMatchObject({ status: "compensating", wakeAt: run.now + 600_000 });
    run.pass(600_000);
    expect(run.state.owner?.id).toBe("ours");
  });

  it("takes the run again with the event that goes on", () => {
    const run = begun();
    run.ends("work");
    run.runner = theirs;
    run.event("ok");
    expect(run.state.owner?.id).toBe("theirs");
    expect(run.header).toMatchObject({ status: "running", owner: "theirs" });
  });

  it("respects another's lease, also when it has something to say to the run", () => {
    const run = begun();
    run.runner = theirs;
    run.now += LEASE_MS - 1;
    run.event("ok");
    run.control("pause");
    expect(run.state.owner).toEqual({ id: "ours", until: 1_000 + LEASE_MS });
  });

  it("takes over, when another's lease has run out, only with new tokens for what the other had begun", () => {
    const run = begun();
    run.runner = theirs;
    run.pass(LEASE_MS);
    expect(run.state.owner?.id).toBe("ours");
    run.do({ type: "interrupted", owner: run.state.owner as Owner });
    expect(run.state.owner).toEqual({ id: "theirs", until: run.now + LEASE_MS });
    expect(run.step("work")).toMatchObject({ attempt: 2 });
  });

  it("takes nothing from one who has taken the run meanwhile", () => {
    const run = begun();
    run.runner = theirs;
    run.do({ type: "interrupted", owner: { id: "somebody before", until: 5 } });
    // Nor from one who has renewed its lease.
    run.do({ type: "interrupted", owner: { id: "ours", until: 5 } });
    expect(run.state.owner?.id).toBe("ours");
    expect(run.step("work")).toEqual({ status: "active" });
  });

  it("takes over at once from one that is known to be gone", () => {
    const run = begun();
    run.runner = theirs;
    run.do({ type: "interrupted" });
    expect(run.state.owner?.id).toBe("theirs");
    expect(run.step("work")).toMatchObject({ attempt: 2, interruptions: 1 });
  });

  it("is none of a run that has ended", () => {
    const run = begun();
    run.ends("work");
    run.event("ok");
    run.ends("last");
    expect(run.state).toMatchObject({ status: "completed", owner: undefined });
    expect(run.header).toMatchObject({ status: "completed", current: [], endedAt: run.now });
    expect(run.header?.wakeAt).toBeUndefined();
  });

  it("is none of a run that ends with a start that is refused, of which no lease is asked", () => {
    const run = begun();
    run.control("cancel");
    run.runner = undefined;
    run.now += 60_000;
    expect(() => run.start()).toThrow("is compensating");
    expect(run.state).toMatchObject({ status: "cancelled", owner: undefined });
    expect(run.header?.wakeAt).toBeUndefined();
  });

  it("is not written where there can be only one", () => {
    const run = engineRun(flow);
    run.start();
    expect(run.state.owner).toBeUndefined();
  });
});

describe("the row that queries read", () => {
  const two = defineStep({ name: "two", run: () => {} });
  const three = defineStep({ name: "three", run: () => {} });
  const chain = defineWorkflow({
    name: "chain",
    input: any,
    start: work,
    transitions: ({ on }) => [on(work, { done: two }), on(two, { done: three }), on(three, { done: done })],
  });

  it.each([
    ["with a runner", ours],
    ["without one", undefined],
  ])("%s is written at the start and at the end, not per step", (_who, runner) => {
    const run = engineRun(chain);
    run.runner = runner;
    run.start();
    for (const name of ["work", "two", "three"]) run.ends(name);
    expect(run.records.map(({ header }) => header?.status)).toEqual(["running", undefined, undefined, "completed"]);
  });

  it("says what a run is", () => {
    const run = engineRun(chain, [], "chain/k::1");
    const info = { workflow: "chain", version: 1, fingerprint: chain.graph.fingerprint };
    run.do({
      type: "start",
      commandId: "s",
      info: { ...info, key: "1", tags: ["x"], metadata: { team: "y" } },
      input: "[]",
    });
    expect(run.header).toEqual({
      id: "chain/k::1",
      run: 1,
      revision: 1,
      ...info,
      status: "running",
      key: "1",
      tags: ["x"],
      metadata: { team: "y" },
      current: ["work"],
      createdAt: 1_000,
      updatedAt: 1_000,
      input: "[]",
    });
  });

  it("is written when a run is paused and when it goes on", () => {
    const run = begun();
    run.control("pause");
    expect(run.header).toMatchObject({ revision: 2, status: "paused" });
    run.control("unpause");
    expect(run.header).toMatchObject({ revision: 3, status: "running" });
  });

  it("is written when a timer is set while nothing runs, and says when it is due", () => {
    const run = begun();
    run.ends("work");
    run.do({ type: "schedule", commandId: "s", step: "review", event: "ok", delayMs: 5 });
    expect(run.header).toMatchObject({ revision: 3, wakeAt: run.now + 5 });
  });

  it("is not written for an event that only waits, nor for each step that is undone", () => {
    const run = begun();
    run.event("ok");
    expect(run.records.at(-1)?.header).toBeUndefined();
    const other = engineRun(chain);
    other.runner = ours;
    other.start();
    other.ends("work");
    other.control("cancel");
    expect(other.records.at(-1)?.header?.status).toBe("compensating");
    other.do({ type: "aborted", step: "two", attempt: 1, begun: false });
    expect(other.step("work")?.compensation).toBeDefined();
    expect(other.records.at(-1)?.header).toBeUndefined();
  });

  it("says why a run failed", () => {
    const run = begun();
    run.fails("work", { retryable: false, error: storedError("no") });
    expect(run.header).toMatchObject({ status: "failed", error: { message: "no" }, endedAt: 1_000 });
  });

  it("keeps the time of the end when something is said of it later", () => {
    const run = begun();
    run.fails("work", { retryable: false, error: storedError("no") });
    expect(toHeader(new Draft(run.state, run.graph, run.now + 5_000))).toMatchObject({
      status: "failed",
      endedAt: run.state.endedAt,
      updatedAt: run.now + 5_000,
    });
  });
});
