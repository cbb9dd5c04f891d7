import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, waitForEvent } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun } from "../testing/engine-run.ts";
import { CANCEL_GRACE_MS } from "./limits.ts";
import type { Applied } from "./run-state.ts";
import { STATE_FORMAT } from "./state.ts";

/*
 * The table "Commands by status" of DESIGN.md, section 3, cell by cell. `parked` is found by the runner: the engine is
 * not asked then.
 */

const TIMEOUT_MS = 60_000;
const work = defineStep({ name: "work", run: () => {}, compensate: () => {}, retry: { maxAttempts: 1 } });
const approval = waitForEvent({
  name: "approval",
  events: { approved: type<unknown>() },
  timeout: { milliseconds: TIMEOUT_MS },
});
const later = waitForEvent({ name: "later", events: { more: type<unknown>() } });
const flow = defineWorkflow({
  name: "flow",
  input: type<unknown>(),
  start: [work, approval],
  transitions: ({ on }) => [
    on(work, { done: done }),
    on(approval, { approved: later, timeout: done }),
    on(later, { more: done }),
  ],
});

/** As the first part of a start that was split over two records leaves it. */
const pendingRecord: Applied = {
  revision: 1,
  run: 1,
  changes: {
    at: 1_000,
    run: { format: STATE_FORMAT, run: 1, workflow: "flow", version: 1, fingerprint: flow.graph.fingerprint },
    steps: {
      work: { status: "active" },
      approval: { status: "waiting", wakeAt: 1_000 + TIMEOUT_MS, wakeEvent: "timeout" },
    },
  },
};

type Status = "pending" | "running" | "waiting" | "paused" | "compensating" | "completed" | "cancelled" | "failed";

/** A run in that status: approval waits wherever a step still may, and work runs wherever one still may. */
function inStatus(status: Status): EngineRun {
  const run = status === "pending" ? engineRun(flow, [pendingRecord]) : engineRun(flow);
  if (status !== "pending") run.start();
  if (status === "waiting" || status === "compensating") run.ends("work");
  if (status === "paused") run.control("pause");
  if (status === "compensating") run.control("cancel");
  if (status === "completed") {
    run.ends("work");
    run.event("approved");
    run.event("more");
  }
  if (status === "failed") run.fails("work");
  if (status === "cancelled") {
    run.control("cancel");
    run.do({ type: "aborted", step: "work", attempt: 1, begun: false });
  }
  expect(run.state.status).toBe(status);
  return run;
}

const refusal = (status: Status) => expect.objectContaining({ code: "STATUS_REFUSES", details: { id: "i", status } });

/** Refused means an error with a code and the status, and that nothing changes. */
function expectRefused(run: EngineRun, ask: () => unknown): void {
  const { status, revision } = run.state;
  let refused: unknown;
  try {
    ask();
  } catch (error) {
    refused = error;
  }
  expect(refused).toEqual(refusal(status as Status));
  expect(run.state.revision).toBe(revision);
}

describe("event", () => {
  it.each(["pending", "running", "waiting"] as const)("%s: goes to the step that waits for it", (status) => {
    const run = inStatus(status);
    expect(run.event("approved")).toBe("delivered");
    expect(run.step("approval")).toMatchObject({ status: "completed", event: "approved" });
    expect(run.step("later")?.status).toBe("waiting");
  });

  it.each(["pending", "running", "waiting"] as const)("%s: waits in the inbox for one that still may", (status) => {
    const run = inStatus(status);
    expect(run.event("more")).toBe("queued");
    run.event("approved");
    expect(run.step("later")).toMatchObject({ status: "completed", event: "more" });
  });

  it("paused: waits in the inbox, also for a step that waits", () => {
    const run = inStatus("paused");
    expect(run.event("approved")).toBe("queued");
    expect(run.step("approval")?.status).toBe("waiting");
    run.control("unpause");
    expect(run.step("approval")).toMatchObject({ status: "completed", event: "approved" });
  });

  it.each(["compensating", "completed", "cancelled"] as const)("%s: refused", (status) => {
    const run = inStatus(status);
    expectRefused(run, () => run.event("approved"));
  });

  it("failed: waits in the inbox for a later retry", () => {
    const run = inStatus("failed");
    expect(run.event("approved")).toBe("queued");
    run.control("retry");
    expect(run.step("approval")).toMatchObject({ status: "completed", event: "approved" });
  });
});

describe("timer due", () => {
  it.each(["pending", "running", "waiting"] as const)("%s: fires", (status) => {
    const run = inStatus(status);
    run.pass(TIMEOUT_MS);
    expect(run.step("approval")).toMatchObject({ status: "completed", event: "timeout" });
  });

  it("paused: fires at unpause", () => {
    const run = inStatus("paused");
    run.pass(TIMEOUT_MS);
    expect(run.step("approval")?.status).toBe("waiting");
    expect(run.pending.wakeAt).toBeUndefined();
    run.control("unpause");
    expect(run.step("approval")).toMatchObject({ status: "completed", event: "timeout" });
  });

  it("compensating: its own only", () => {
    const run = inStatus("running");
    run.control("cancel");
    expect(run.pending.wakeAt).toBe(run.now + CANCEL_GRACE_MS);
    run.pass(TIMEOUT_MS);
    expect(run.step("approval")).toEqual({ status: "cancelled" });
    expect(run.step("work")).toEqual({ status: "cancelled", unknown: true });
    expect(run.state.status).toBe("cancelled");
  });

  it.each(["completed", "cancelled", "failed"] as const)("%s: nothing", (status) => {
    const run = inStatus(status);
    const { revision } = run.state;
    expect(run.pending.wakeAt).toBeUndefined();
    run.pass(TIMEOUT_MS);
    expect(run.state.revision).toBe(revision);
  });
});

describe("result of a running attempt", () => {
  it.each(["pending", "running", "paused"] as const)("%s: recorded", (status) => {
    const run = inStatus(status);
    expect(run.ends("work", "done", { result: "7" })).toBe("recorded");
    expect(run.step("work")).toMatchObject({ status: "completed", result: run.state.revision });
  });

  it("compensating: recorded as part of settling", () => {
    const run = inStatus("running");
    run.control("cancel");
    expect(run.state.status).toBe("compensating");
    expect(run.ends("work")).toBe("recorded");
    expect(run.step("work")).toMatchObject({ status: "completed", compensation: { status: "active" } });
  });

  it.each(["completed", "cancelled", "failed"] as const)("%s: ignored", (status) => {
    const run = inStatus(status);
    const { revision } = run.state;
    expect(run.ends("work")).toBe("ignored");
    expect(run.fails("work")).toBe("ignored");
    expect(run.state.revision).toBe(revision);
  });

  it("waiting: there is none, and what a past attempt tells is ignored", () => {
    expect(inStatus("waiting").ends("work")).toBe("ignored");
  });
});

describe("pause and unpause", () => {
  it.each(["pending", "running", "waiting"] as const)("%s: pauses; unpause is refused", (status) => {
    const run = inStatus(status);
    expectRefused(run, () => run.control("unpause"));
    run.control("pause");
    expect(run.state.status).toBe("paused");
  });

  it("paused: the same; unpause goes on", () => {
    const run = inStatus("paused");
    run.control("pause");
    expect(run.state.status).toBe("paused");
    run.control("unpause");
    expect(run.state.status).toBe("running");
  });

  it.each(["compensating", "completed", "cancelled", "failed"] as const)("%s: both refused", (status) => {
    const run = inStatus(status);
    expectRefused(run, () => run.control("pause"));
    expectRefused(run, () => run.control("unpause"));
  });
});

describe("cancel", () => {
  it.each(["pending", "running", "paused"] as const)("%s: settles what runs and compensates", (status) => {
    const run = inStatus(status);
    run.control("cancel");
    expect(run.state.status).toBe("compensating");
    expect(run.pending.abort).toEqual(["work"]);
    run.ends("work");
    expect(run.pending.compensate).toBe("work");
    run.undoes("work");
    expect(run.state.status).toBe("cancelled");
    expect(run.step("approval")?.status).toBe("cancelled");
  });

  it("waiting: compensates at once", () => {
    const run = inStatus("waiting");
    run.control("cancel");
    expect(run.pending).toMatchObject({ abort: [], compensate: "work" });
    run.undoes("work");
    expect(run.state.status).toBe("cancelled");
  });

  it("compensating: joins it", () => {
    const run = inStatus("compensating");
    run.control("cancel");
    expect(run.state.status).toBe("compensating");
    run.undoes("work");
    expect(run.state.status).toBe("cancelled");
  });

  it.each(["completed", "cancelled"] as const)("%s: refused", (status) => {
    const run = inStatus(status);
    expectRefused(run, () => run.control("cancel"));
  });

  it("failed: compensates what is not yet, and ends cancelled", () => {
    const run = inStatus("failed");
    run.control("cancel");
    expect(run.state.status).toBe("cancelled");
    expect(run.state.ending).toMatchObject({ outcome: "cancelled", step: "work" });
  });
});

describe("retry", () => {
  it.each(["pending", "running", "waiting", "paused", "compensating", "completed", "cancelled"] as const)(
    "%s: refused",
    (status) => {
      const run = inStatus(status);
      expectRefused(run, () => run.control("retry"));
    },
  );

  it("failed: goes on", () => {
    const run = inStatus("failed");
    run.control("retry");
    expect(run.state.status).toBe("running");
    expect(run.statuses).toEqual({ work: "active", approval: "waiting" });
  });
});

describe("restart, a new run", () => {
  it.each(["pending", "running", "waiting", "paused", "compensating"] as const)("%s: refused", (status) => {
    const run = inStatus(status);
    const { revision } = run.state;
    expect(() => run.start("another")).toThrow(
      expect.objectContaining({ code: "ALREADY_RUNNING", details: { id: "i", run: 1, status } }),
    );
    expect(run.state.revision).toBe(revision);
  });

  it.each(["completed", "cancelled", "failed"] as const)("%s: begins the next run", (status) => {
    const run = inStatus(status);
    expect(run.start("another")).toEqual({ run: 2 });
    expect(run.state).toMatchObject({ run: 2, status: "running", ending: undefined, endedAt: undefined });
    expect(run.statuses).toEqual({ work: "active", approval: "waiting" });
  });
});

describe("delete", () => {
  it.each(["pending", "running", "waiting", "paused", "compensating"] as const)("%s: refused", (status) => {
    const run = inStatus(status);
    expectRefused(run, () => run.control("delete"));
  });

  it.each(["completed", "cancelled", "failed"] as const)("%s: leaves a tombstone", (status) => {
    const run = inStatus(status);
    run.control("delete");
    expect(run.state).toMatchObject({ run: 1, status: "deleted", info: undefined });
    expect([...run.state.steps]).toEqual([]);
    expect(() => run.event("approved")).toThrow(expect.objectContaining({ code: "INSTANCE_NOT_FOUND" }));
  });
});
