import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done, type RunOptions, wait, waitForEvent } from "../definition/step.ts";
import { type AnyWorkflow, defineWorkflow } from "../definition/workflow.ts";
import { type EngineRun, engineRun, loaded, plainState } from "../testing/engine-run.ts";
import { decide } from "./decide.ts";
import { COMMAND_RETENTION_MS } from "./limits.ts";
import { foldRecords } from "./run-state.ts";
import { STATE_FORMAT } from "./state.ts";

const any = type<unknown>();
const step = (name: string, more: RunOptions = {}): AnyStep => defineStep({ name, run: () => {}, ...more });
const code = (expected: string) => expect.objectContaining({ code: expected });

function flow(start: AnyStep[], edges: [AnyStep, Record<string, AnyStep | AnyStep[]>][]): AnyWorkflow {
  return defineWorkflow({
    name: "flow",
    input: any,
    start,
    transitions: ({ on }) => edges.map(([from, to]) => on(from, to)),
  });
}

function begun(workflow: AnyWorkflow): EngineRun {
  const run = engineRun(workflow);
  run.start("first");
  return run;
}

const a = step("a");
const b = step("b");
const chain = flow(
  [a],
  [
    [a, { done: b }],
    [b, { done: done }],
  ],
);
const single = flow([a], [[a, { done: done }]]);

describe("a run", () => {
  it("begins with its format, its definition and its start steps, in one record", () => {
    const run = engineRun(chain);
    expect(run.start("first")).toEqual({ run: 1 });
    expect(run.records).toHaveLength(1);
    expect(run.records[0]).toMatchObject({
      revision: 1,
      changes: {
        run: { format: STATE_FORMAT, run: 1, workflow: "flow", version: 1, fingerprint: chain.graph.fingerprint },
        status: "running",
        steps: { a: { status: "active" } },
        commands: [{ id: "first", type: "start", run: 1, at: 1_000, reply: { run: 1 } }],
      },
      payloads: { input: "{}" },
    });
  });

  it("is there once for all starts of one id, and refuses the others while it goes on", () => {
    const run = begun(chain);
    expect(run.start("first")).toEqual({ run: 1 });
    expect(() => run.start("second")).toThrow(code("ALREADY_RUNNING"));
    expect(run.state.revision).toBe(1);
  });

  it("that has ended is followed by the next, whose revisions go on", () => {
    const run = begun(single);
    run.ends("a");
    expect(run.state).toMatchObject({ status: "completed", endedAt: 1_000 });
    run.now = 5_000;
    expect(run.start("second")).toEqual({ run: 2 });
    expect(run.state).toMatchObject({ run: 2, revision: 3, firstRevision: 3, createdAt: 5_000, completed: [] });
    expect(run.statuses).toEqual({ a: "active" });
  });

  it("shares no commit with what came before it", () => {
    const run = begun(single);
    run.ends("a");
    const info = { workflow: "flow", version: 1, fingerprint: single.graph.fingerprint };
    const commands = [
      { type: "delete", commandId: "d" },
      { type: "start", commandId: "s", info },
    ] as const;
    expect(() => decide(run.graph, run.state, commands, { now: 1 })).toThrow("shares no commit");
  });
});

describe("a command's id", () => {
  it("outlives its run, so that a late redelivery neither starts nor cancels the next one", () => {
    const run = begun(single);
    run.control("cancel", "stop");
    run.do({ type: "aborted", step: "a", attempt: 1, begun: false });
    run.start("second");
    expect(run.start("first")).toEqual({ run: 1 });
    expect(run.control("cancel", "stop")).toBeNull();
    expect(run.state).toMatchObject({ run: 2, status: "running" });
  });

  it("is remembered from the end of its run on, however long that took", () => {
    const run = begun(single);
    run.now += 10 * COMMAND_RETENTION_MS;
    run.ends("a");
    run.now += COMMAND_RETENTION_MS - 1;
    run.start("second");
    expect(run.start("first")).toEqual({ run: 1 });
  });

  it("is forgotten after its time, also when there was a run in between", () => {
    const run = begun(single);
    run.ends("a");
    const ended = run.now;
    run.now += 1_000;
    run.start("second");
    expect(run.state.commands.get("first")).toMatchObject({ run: 1, until: ended + COMMAND_RETENTION_MS });
    run.ends("a");
    run.now = ended + COMMAND_RETENTION_MS;
    expect(run.start("third")).toEqual({ run: 3 });
    expect([...run.state.commands.keys()]).toEqual(["second", "third"]);
  });

  it("is not forgotten while its run goes on", () => {
    const waits = waitForEvent({ name: "waits", events: { go: any } });
    const run = begun(flow([waits], [[waits, { go: done }]]));
    run.now += 10 * COMMAND_RETENTION_MS;
    expect(run.start("first")).toEqual({ run: 1 });
  });

  it("that belonged to another kind of command is a mistake", () => {
    const run = begun(single);
    expect(() => run.control("pause", "first")).toThrow(code("OPTION_INVALID"));
  });

  it("of what was refused is not remembered", () => {
    const run = begun(single);
    expect(() => run.control("retry", "again")).toThrow(code("STATUS_REFUSES"));
    run.fails("a", { retryable: false });
    run.control("retry", "again");
    expect(run.state.status).toBe("running");
  });
});

describe("a deleted instance", () => {
  it("is a tombstone that remembers commands, and folds from itself alone", () => {
    const run = begun(single);
    run.ends("a");
    run.control("delete", "gone");
    expect(run.header).toMatchObject({ status: "deleted", wakeAt: run.now + COMMAND_RETENTION_MS });
    expect(run.control("delete", "gone")).toBeNull();
    expect(run.start("first")).toEqual({ run: 1 });
    const last = run.records.slice(-1);
    expect(plainState(foldRecords("i", last, run.graph))).toEqual(plainState(run.state));
  });

  it("is one also for what shares its commit", () => {
    const run = begun(single);
    run.ends("a");
    const types = ["delete", "cancel", "retry", "unpause"] as const;
    const commands = types.map((type) => ({ type, commandId: type }));
    const { changes, replies } = decide(run.graph, run.state, commands, { now: run.now });
    const gone = { error: code("INSTANCE_NOT_FOUND") };
    expect(replies).toEqual([{ value: null }, gone, gone, gone]);
    expect(changes).toMatchObject({ status: "deleted" });
    expect(changes).not.toHaveProperty("ending");
  });

  it("folds also while a part of what was before it is still there", () => {
    const run = begun(chain);
    run.ends("a");
    run.ends("b");
    run.control("delete");
    expect(plainState(foldRecords("i", run.records.slice(1), run.graph))).toEqual(plainState(run.state));
    expect(() => foldRecords("i", run.records.slice(1, -1), run.graph)).toThrow("begins in the middle");
  });

  it("may start again, as the next run", () => {
    const run = begun(single);
    run.ends("a");
    run.control("delete", "gone");
    expect(run.start("second")).toEqual({ run: 2 });
    expect(run.control("delete", "gone")).toBeNull();
    expect(run.state.status).toBe("running");
  });

  it("has no commands done to it but a start, and what attempts tell of it is ignored", () => {
    const run = begun(single);
    run.ends("a");
    run.control("delete");
    for (const type of ["pause", "unpause", "cancel", "retry", "adopt", "delete"] as const) {
      expect(() => run.control(type)).toThrow(code("INSTANCE_NOT_FOUND"));
    }
    expect(run.ends("a")).toBe("ignored");
    expect(run.do({ type: "wake" })).toBe("ignored");
  });
});

describe("what is stored", () => {
  it("can be folded without its code, but for what joins count", () => {
    const run = begun(chain);
    run.ends("a", "done", { result: "1" });
    const bare = foldRecords("i", run.records, undefined);
    expect(bare).toMatchObject({ status: "running", active: 1, runnable: 1, completed: ["a"], taken: [] });
    expect([...bare.steps]).toEqual([...run.state.steps]);
  });

  it("of the latest run is enough", () => {
    const run = begun(single);
    run.ends("a");
    run.start("second");
    expect([...loaded("i", run.records, run.graph).steps]).toHaveLength(1);
  });
});

describe("adopt", () => {
  const c = step("c");
  const longer = flow(
    [a],
    [
      [a, { done: b }],
      [b, { done: c }],
      [c, { done: done }],
    ],
  );

  it("goes on with the new code when all that was touched is still there", () => {
    const run = begun(chain);
    run.ends("a");
    run.graph = longer.graph;
    run.control("adopt");
    expect(run.state.fingerprint).toBe(longer.graph.fingerprint);
    run.ends("b");
    expect(run.statuses).toEqual({ a: "completed", b: "completed", c: "active" });
  });

  it.each<[string, AnyWorkflow]>([
    ["a touched step", flow([b], [[b, { done: done }]])],
    ["the event that it ended with", renamed()],
  ])("is refused when %s is gone", (_what, other) => {
    const run = begun(chain);
    run.ends("a");
    run.graph = other.graph;
    expect(() => run.control("adopt")).toThrow(code("PARKED"));
    expect(run.state.fingerprint).toBe(chain.graph.fingerprint);
  });

  it("is refused when a failure route that was taken is gone", () => {
    const routed = step("a", { onFailure: b });
    const run = begun(
      flow(
        [routed],
        [
          [routed, { done: done }],
          [b, { done: done }],
        ],
      ),
    );
    run.fails("a", { retryable: false });
    run.graph = chain.graph;
    expect(() => run.control("adopt")).toThrow(
      expect.objectContaining({ details: { id: "i", lost: "the failure route of a" } }),
    );
  });

  it("is refused when a chosen target is gone", () => {
    const withChoice = (...targets: AnyStep[]) =>
      defineWorkflow({
        name: "flow",
        input: any,
        start: a,
        transitions: ({ on, choose }) => [
          on(a, { done: choose(targets, () => targets[0] as AnyStep) }),
          ...[b, c].filter((one) => targets.includes(one)).map((one) => on(one, { done: done })),
        ],
      });
    const run = begun(withChoice(b, c));
    run.ends("a", "done", { targets: ["c"] });
    run.graph = withChoice(b, done).graph;
    expect(() => run.control("adopt")).toThrow(code("PARKED"));
  });

  it("is refused when a step that runs has become a wait, or waits for what is not there any more", () => {
    const waiting = wait({ name: "a", for: { seconds: 1 } });
    const run = begun(single);
    run.graph = flow([waiting], [[waiting, { done: done }]]).graph;
    expect(() => run.control("adopt")).toThrow(code("PARKED"));
    const other = begun(flow([waiting], [[waiting, { done: done }]]));
    const awaits = waitForEvent({ name: "a", events: { go: any } });
    other.graph = flow([awaits], [[awaits, { go: done }]]).graph;
    expect(() => other.control("adopt")).toThrow(code("PARKED"));
  });

  it("does not mind when a step is gone that was skipped", () => {
    const branch = defineStep({ name: "branch", events: ["x", "y"], run: () => ({}) as never });
    const wide = flow(
      [branch],
      [
        [branch, { x: a, y: b }],
        [a, { done: done }],
        [b, { done: done }],
      ],
    );
    const narrow = flow(
      [branch],
      [
        [branch, { x: a, y: done }],
        [a, { done: done }],
      ],
    );
    const run = begun(wide);
    run.ends("branch", "x");
    expect(run.step("b")?.status).toBe("skipped");
    run.graph = narrow.graph;
    run.control("adopt");
    run.ends("a");
    expect(run.state.status).toBe("completed");
  });

  it("starts nothing while the run is ending", () => {
    const undoable = defineStep({ name: "a", run: () => {}, compensate: () => {} });
    const run = begun(
      flow(
        [undoable, b],
        [
          [undoable, { done: done }],
          [b, { done: done }],
        ],
      ),
    );
    run.ends("a");
    run.fails("b", { retryable: false });
    run.graph = flow(
      [undoable, b],
      [
        [undoable, { done: c }],
        [b, { done: done }],
        [c, { done: done }],
      ],
    ).graph;
    run.control("adopt");
    expect(run.step("c")).toBeUndefined();
    expect(run.pending.compensate).toBe("a");
  });

  it("is refused by what has ended", () => {
    const run = begun(single);
    run.ends("a");
    expect(() => run.control("adopt")).toThrow(code("STATUS_REFUSES"));
  });
});

function renamed(): AnyWorkflow {
  const other = defineStep({ name: "a", events: ["other"], run: () => ({}) as never });
  return flow(
    [other],
    [
      [other, { other: b }],
      [b, { done: done }],
    ],
  );
}
