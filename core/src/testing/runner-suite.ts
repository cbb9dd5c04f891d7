import { describe, expect, it, onTestFinished } from "vitest";
import type { StepStatus } from "../engine/state.ts";
import { makeId, systemClock, systemRandom } from "../runtime/clock.ts";
import type { StartedInstance } from "../runtime/hephaestus.ts";
import type { InstanceChange } from "../runtime/runner.ts";
import { runnerDeletion } from "./runner-deletion.ts";
import { type RunnerLane, reaches, stepReaches, untilSeen } from "./runner-lane.ts";
import { runnerLessons } from "./runner-lessons.ts";
import * as flows from "./runner-workflows.ts";

type Started = Pick<StartedInstance<unknown>, "get">;

/**
 * What every runner must do, through the public API, in real time and its real runtime.
 * @example
 * runnerConformance("local runner, one file", async () => localLane(() => sqliteStorage("flows.db"), telemetryBus()));
 */
export function runnerConformance(name: string, makeLane: () => Promise<RunnerLane>): void {
  describe(`runner conformance: ${name}`, () => {
    let counter = 0;
    async function _setUp() {
      const opened = await makeLane();
      let alive = opened.engine;
      const lane: RunnerLane = {
        ...opened,
        crash: async () => (alive = await opened.crash()),
      };
      // What is not closed goes on looking for what is due, beside all the tests that follow.
      onTestFinished(() => alive.close());
      return { lane, engine: lane.engine, key: `k${++counter}-${makeId(systemClock.now(), systemRandom)}` };
    }
    const statuses = async (started: Started) => {
      const { steps } = await started.get();
      return Object.fromEntries(Object.entries(steps).map(([step, { status }]) => [step, status]));
    };

    it("runs a sequence to its end: result, view, history", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.sequence).start(key, {}, { tags: ["extra"], metadata: { by: "me" } });
      expect(await started.result()).toEqual({ c: "c" });
      const view = await started.get();
      expect(view).toMatchObject({
        status: "completed",
        key,
        run: 1,
        tags: ["suite", "extra"],
        metadata: { team: "core", by: "me" },
      });
      expect(view.id).toBe(`suite_sequence/n::${key}`);
      const history = await started.history();
      const completed = history.filter((entry) => entry.type === "step" && entry.status === "completed");
      expect(completed.map((entry) => entry.type === "step" && [entry.step, entry.result])).toEqual([
        ["a", "a"],
        ["b", "b"],
        ["c", "c"],
      ]);
      expect(history[0]).toMatchObject({ type: "started", workflow: "suite_sequence", input: {} });
    });

    it("parallel branches synchronise: the join runs once, after all of them", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.parallel).start(key, {});
      await started.result();
      const order = (await started.history()).flatMap((entry) =>
        entry.type === "step" && entry.status === "completed" ? [entry.step] : [],
      );
      expect([order[0], order.slice(1, 3).sort(), order.slice(3)]).toEqual(["a", ["b", "c"], ["d"]]);
    });

    it("LESSONS 1: exclusive branches merge", async () => {
      const { engine, key } = await _setUp();
      for (const to of ["left", "right"]) {
        const started = await engine.for(flows.diamond).start(`${key}-${to}`, { to });
        await started.result();
        expect(await statuses(started)).toMatchObject({
          d: "completed",
          a: to === "left" ? "completed" : "skipped",
          b: to === "right" ? "completed" : "skipped",
        });
      }
    });

    it("LESSONS 2, 3: of two parallel waits each gets its own event, and siblings go on meanwhile", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.parallelWaits).start(key, {});
      await stepReaches(engine, started, "b", "completed");
      expect(await started.resume("for_alpha", 1)).toBe("delivered");
      expect(await statuses(started)).toMatchObject({ alpha: "completed", omega: "waiting" });
      await started.resume("for_omega", 2);
      await started.result();
      const { steps } = await started.get();
      expect([steps.alpha?.result, steps.omega?.result, steps.d?.status]).toEqual([1, 2, "completed"]);
    });

    it("LESSONS 4: an event that no wait knows is refused; events in sequence go to their waits in order", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      // @ts-expect-error the types know it too
      await expect(started.resume("nope")).rejects.toMatchObject({ code: "EVENT_UNDECLARED" });
      // @ts-expect-error the types know it too
      await expect(started.resume("go", 1, { step: "nobody" })).rejects.toMatchObject({ code: "UNKNOWN_STEP" });
      expect(await started.resume("go", 1)).toBe("delivered");
      expect(await started.resume("go", 2)).toBe("delivered");
      await started.result();
      const { steps } = await started.get();
      expect([steps.first?.result, steps.second?.result, steps.a?.status]).toEqual([1, 2, "completed"]);
      await expect(started.resume("go", 3)).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    });

    it("LESSONS 5: an early event waits in the inbox", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      expect(await started.resume("stop", "early")).toBe("queued");
      expect((await started.get()).inbox.map((item) => item.event)).toEqual(["stop"]);
      expect(await started.resume("go")).toBe("delivered");
      await started.result();
      expect((await started.get()).steps.second).toMatchObject({ event: "stop", result: "early" });
    });

    it("counts an event once by its id, however often it is sent", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      const answers = await Promise.all(Array.from({ length: 20 }, () => started.resume("go", 1, { id: "one" })));
      expect(new Set(answers)).toEqual(new Set(["delivered"]));
      expect(await statuses(started)).toMatchObject({ first: "completed", second: "waiting" });
      await expect(started.cancel({ id: "one" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    });

    it("LESSONS 6: an event in time wins over the timeout, whose timer then does nothing", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.timeout).start(key, {});
      await started.resume("came");
      await started.result();
      const late = await engine.for(flows.timeout).start(`${key}-late`, {});
      await late.result();
      expect(await statuses(started)).toMatchObject({ a: "completed", b: "skipped" });
      expect(await statuses(late)).toMatchObject({ a: "skipped", b: "completed" });
      await expect(late.resume("came")).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    });

    it("LESSONS 6: a timer wakes its instance with nobody calling", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.timer).start(key, {});
      await started.result();
      const history = await started.history();
      const at = (status: StepStatus) =>
        history.find((entry) => entry.type === "step" && entry.step === "nap" && entry.status === status)?.at ?? 0;
      expect(at("completed") - at("waiting")).toBeGreaterThanOrEqual(80);
    });

    it("a pending step is ended by its event, or at its time by scheduleResume", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.asynchronous).start(key, {});
      await stepReaches(engine, started, "ask", "waiting");
      expect(await started.resume("yes", 1)).toBe("delivered");
      await started.result();
      expect((await started.get()).steps.ask).toMatchObject({ event: "yes", result: 1 });
      const timed = await engine.for(flows.asynchronous).start(`${key}-timed`, {});
      await stepReaches(engine, timed, "ask", "waiting");
      await timed.scheduleResume("ask", { milliseconds: 30 });
      await timed.result();
      expect((await timed.get()).steps.ask?.event).toBe("timeout");
    });

    it("a step that fails is tried again by its policy, then takes its failure route", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.sequence).start(key, { fails: { b: 2 } });
      await started.result();
      expect((await started.get()).steps.b).toMatchObject({ status: "completed", attempt: 3, failures: 2 });
      const route = await engine.for(flows.routed).start(key, { fails: { risky: 9 } });
      await route.result();
      expect(await statuses(route)).toMatchObject({ risky: "failed", a: "skipped", b: "completed" });
    });

    it("LESSONS 9: a failed run says why, and is compensated in reverse order", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.saga).start(key, { fails: { pay: 1 } });
      await expect(started.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "pay" } });
      const view = await started.get();
      expect(view).toMatchObject({
        status: "failed",
        failedStep: "pay",
        error: { name: "NonRetryableError", message: "no money" },
      });
      const undone = (await started.history()).flatMap((entry) =>
        entry.type === "step" && entry.compensation === "completed" ? [entry.step] : [],
      );
      expect(undone).toEqual(["flight", "hotel"]);
    });

    it("retry runs again what failed and what was compensated", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.saga).start(key, { fails: { pay: 1 } });
      await reaches(engine, started, "failed");
      await expect(started.pause()).rejects.toMatchObject({ code: "STATUS_REFUSES", details: { status: "failed" } });
      await started.retry();
      await started.result();
      expect(await statuses(started)).toEqual({ hotel: "completed", flight: "completed", pay: "completed" });
    });

    it("LESSONS 11: cancel ends it as cancelled, and nothing follows", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      await started.cancel();
      await expect(started.result()).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(started.resume("go")).rejects.toMatchObject({ code: "STATUS_REFUSES" });
      await expect(started.retry()).rejects.toMatchObject({ code: "STATUS_REFUSES" });
    });

    it("pauses and goes on: events wait, timers that came due fire then", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      await started.pause();
      expect((await started.get()).status).toBe("paused");
      expect(await started.resume("go", 1)).toBe("queued");
      await started.unpause();
      await stepReaches(engine, started, "second", "waiting");
      await expect(started.unpause()).rejects.toMatchObject({ code: "STATUS_REFUSES" });
      await started.resume("stop");
      await started.result();
    });

    it("a choice goes to one or several targets; an empty one fails its step", async () => {
      const { engine, key } = await _setUp();
      const both = await engine.for(flows.choosing).start(`${key}-both`, {});
      await both.resume("go", "both");
      await both.result();
      expect(await statuses(both)).toEqual({ first: "completed", a: "completed", b: "completed" });
      const none = await engine.for(flows.choosing).start(`${key}-none`, {});
      await none.resume("go", "none");
      await expect(none.result()).rejects.toMatchObject({ cause: { code: "CHOICE_UNDECLARED" } });
    });

    it("a result that is not JSON fails the step with the path to it", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.notJson).start(key, {});
      await reaches(engine, started, "failed");
      expect((await started.get()).steps.bad?.error).toMatchObject({
        code: "NOT_JSON",
        details: { path: "$.list[0]" },
      });
    });

    it("LESSONS 12: of fifty starts of a key at once one starts, and the others are told of it", async () => {
      const { engine, key } = await _setUp();
      const starts = Array.from({ length: 50 }, (_, n) =>
        engine.for(flows.waitsInSequence).start(key, { to: `${n}` }, { tags: [`t${n}`] }),
      );
      const answers = await Promise.allSettled(starts);
      const refused = answers.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      expect(refused.length).toBe(49);
      // And nothing of theirs is in the record of the one that won.
      const won = answers.findIndex((one) => one.status === "fulfilled");
      const view = await engine.get(`suite_waits/n::${key}`);
      expect([view.input, view.tags]).toEqual([{ to: `${won}` }, [`t${won}`]]);
      for (const error of refused) {
        expect(error).toMatchObject({ code: "ALREADY_RUNNING", details: { id: `suite_waits/n::${key}`, run: 1 } });
      }
    });

    it("the same start again finds its run, also after its end; another one starts the next", async () => {
      const { engine, key } = await _setUp();
      const sequence = engine.for(flows.sequence);
      await (await sequence.start(key, {}, { id: "s1" })).result();
      expect((await sequence.start(key, {}, { id: "s1" })).run).toBe(1);
      const next = await sequence.start(key, {}, { id: "s2" });
      await next.result();
      expect(next.run).toBe(2);
      expect((await sequence.start(key, {}, { id: "s1" })).run).toBe(1);
      expect((await sequence.restart(key, { id: "s3" })).run).toBe(3);
    });

    it("LESSONS 13, 20: one key in two workflows is two instances; a bad key is refused", async () => {
      const { engine, key } = await _setUp();
      const one = await engine.for(flows.sequence).start(`${key}.Order-123_A`, {});
      const other = await engine.for(flows.parallel).start(`${key}.Order-123_A`, {});
      expect(one.id).not.toBe(other.id);
      await Promise.all([one.result(), other.result()]);
      for (const bad of ["", "a b", "a/b", "x".repeat(129)]) {
        await expect(engine.for(flows.sequence).start(bad, {})).rejects.toMatchObject({ code: "KEY_INVALID" });
      }
    });

    it("a key is of its workflow's version, of all workflows, or of nobody, as its scope says", async () => {
      const { engine, key } = await _setUp();
      const [first, second] = flows.byVersion;
      const versions = [await engine.for(first).start(key, {}), await engine.for(second).start(key, {})];
      expect(versions.map(({ id }) => id)).toEqual([1, 2].map((n) => `suite_by_version@${n}/order::${key}`));
      expect((await engine.for(second).get(key)).version).toBe(2);
      const [one, other] = flows.global;
      const shared = await engine.for(one).start(key, {});
      expect(shared.id).toBe(`order::${key}`);
      await expect(engine.for(other).start(key, {})).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
      const loose = [await engine.for(flows.unscoped).start(key, {}), await engine.for(flows.unscoped).start(key, {})];
      expect(loose[0]?.id).not.toBe(loose[1]?.id);
      const all = [...versions, shared, ...loose];
      await Promise.all(all.map((started) => started.resume("go")));
      await Promise.all(all.map((started) => started.result()));
      // The key is free again, for the other workflow too.
      const next = await engine.for(other).start(key, {});
      expect([next.id, next.run]).toEqual([shared.id, 2]);
      expect((await next.get()).workflow).toBe("suite_global_two");
    });

    it("versions: explicit, by versionFor, or current", async () => {
      const { engine, key } = await _setUp();
      const versioned = engine.for(flows.versioned);
      const started = [
        await versioned.start(`${key}-plain`, {}),
        await versioned.start(`${key}-canary`, { to: "canary" }),
        await versioned.start(`${key}-named`, {}, { version: 2 }),
      ];
      const versions = await Promise.all(started.map(async (one) => (await one.get()).version));
      expect(versions).toEqual([1, 2, 2]);
      await Promise.all(started.map((one) => one.resume("go")));
      await Promise.all(started.map((one) => one.result()));
    });

    it("what is unknown is refused with a code", async () => {
      const { engine, key } = await _setUp();
      await expect(engine.start("nope", {})).rejects.toMatchObject({ code: "UNKNOWN_WORKFLOW" });
      await expect(engine.get(`suite_sequence/n::${key}`)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
      await expect(engine.resume(`suite_sequence/n::${key}`, "go")).rejects.toMatchObject({
        code: "INSTANCE_NOT_FOUND",
      });
      await expect(engine.history(`suite_sequence/n::${key}`)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
      await expect(engine.cancel(`suite_sequence/n::${key}`)).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
    });

    it("subscribers see every change of an instance, in order", async () => {
      const { engine, key } = await _setUp();
      const started = await engine.for(flows.waitsInSequence).start(key, {});
      const seen: InstanceChange[] = [];
      const stop = engine.subscribe(started.id, (change) => seen.push(change));
      await untilSeen(engine, started.id, async () => true);
      const ended = started.result();
      await started.resume("go", 1);
      await started.resume("go", 2);
      await ended;
      stop();
      const revisions = seen.map((change) => change.revision);
      expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
    });

    runnerDeletion(_setUp);
    runnerLessons(_setUp);
  });
}
