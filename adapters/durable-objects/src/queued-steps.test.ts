import { emptyRun } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { QueuedSteps } from "./queued-steps.ts";

const timing = { claimMs: 100, leaseMs: 1_000 };

describe("steps on the queue", () => {
  it("are lost when nobody comes for them in time, and are waited for twice as long each time", () => {
    const steps = new QueuedSteps(timing);
    const waits = [0, 1_000, 2_000, 3_000].map((at) => {
      steps.sent("a", 1, at);
      expect(steps.isOut("a", 1)).toBe(true);
      const wait = (steps.nextDeadline ?? 0) - at;
      expect([steps.takeSilent(at + wait - 1), steps.isOut("a", 1)]).toEqual([[], true]);
      expect([steps.takeSilent(at + wait), steps.isOut("a", 1), steps.nextDeadline]).toEqual([[], false, undefined]);
      return wait;
    });
    expect(waits).toEqual([100, 200, 400, 800]);
    // Another attempt begins anew.
    steps.sent("a", 2, 9_000);
    expect(steps.nextDeadline).toBe(9_100);
  });

  it("are silent when their consumer is not heard of for a lease", () => {
    const steps = new QueuedSteps(timing);
    for (const name of ["heard", "silent"]) {
      steps.sent(name, 1, 0);
      steps.claim(name, 1, 0);
    }
    expect(steps.heartbeat("heard", 1, 100)).toBe(false);
    expect(steps.heartbeat("heard", 1, 600)).toBe(true);
    expect(steps.heartbeat("heard", 2, 700)).toBe(false);
    expect(steps.takeSilent(999)).toEqual([]);
    expect(steps.takeSilent(1_000)).toEqual(["silent"]);
    expect(steps.takeSilent(1_600)).toEqual(["heard", "silent"]);
  });

  it("are read back as they were written down", () => {
    const steps = new QueuedSteps(timing);
    steps.sent("a", 1, 0);
    steps.sent("b", 1, 0);
    steps.claim("b", 1, 50);
    steps.await("c", 3, 60);
    const again = new QueuedSteps(timing, JSON.parse(JSON.stringify(steps.toRecord())));
    expect(again.toRecord()).toEqual(steps.toRecord());
    expect(["a", "b", "c"].map((name) => again.mayHaveBegun(name))).toEqual([false, true, true]);
  });

  it("are forgotten when they are not the current attempt of an active step", () => {
    const steps = new QueuedSteps(timing);
    const state = emptyRun("i");
    for (const name of ["current", "older", "timed", "settled", "unknown"]) steps.sent(name, 1, 0);
    state.steps.put(state.steps.placeOf("current"), { status: "active" });
    state.steps.put(state.steps.placeOf("older"), { status: "active", attempt: 2 });
    state.steps.put(state.steps.placeOf("timed"), { status: "active", wakeAt: 5 });
    state.steps.put(state.steps.placeOf("settled"), { status: "completed" });
    steps.prune(state);
    expect(Object.keys(steps.toRecord())).toEqual(["current"]);
  });
});
