import { createHephaestus, memoryStorage } from "@hephaestus/core";
import { expect, it } from "vitest";
import expected from "./changes-requested.history.json" with { type: "json" };
import { pullRequestFlow } from "./pull-request-flow.ts";
import { PULL, playChangesRequested, recordingCodeHost } from "./scenario.ts";

function makeEngine(calls: string[] = []) {
  return createHephaestus({ workflows: [pullRequestFlow], connectors: { codeHost: recordingCodeHost(calls) } });
}

it("goes from opened over changes requested to approved, in memory, with the history that every place has", async () => {
  const calls: string[] = [];
  const engine = makeEngine(calls);
  expect(await playChangesRequested(engine, "1-2")).toEqual(expected);
  expect(calls.map((call) => call.replace(/^.*#1\//, "")).sort()).toEqual([
    "approve status success approved by grace",
    "ask_for_changes status failure changes were requested",
    "check_title status failure ends with a full stop",
    "choose_reviewers reviewers edsger",
    "label_size labels size/XS",
    "summarize comment Size XS. Title ends with a full stop. Review by edsger.",
  ]);
  await engine.close();
});

it("an approval that comes before the checks are done waits for them", async () => {
  const engine = makeEngine();
  const pulls = engine.for(pullRequestFlow);
  const started = await pulls.start("1-3", PULL);
  expect(await pulls.resume("1-3", "approved", { reviewer: "ada" })).toBe("queued");
  expect(await started.result()).toMatchObject({ approve: { approvedBy: "ada" } });
  await engine.close();
});

it("reminds when nobody reviews in time, and takes the late review", async () => {
  let now = 1_000_000;
  const alarms: { at: number; ring: () => void }[] = [];
  const clock = {
    now: () => now,
    schedule(at: number, ring: () => void) {
      const alarm = { at, ring };
      alarms.push(alarm);
      return () => void alarms.splice(alarms.indexOf(alarm), 1);
    },
  };
  const calls: string[] = [];
  const engine = createHephaestus({
    workflows: [pullRequestFlow],
    clock,
    storage: memoryStorage(),
    connectors: { codeHost: recordingCodeHost(calls) },
  });
  const pulls = engine.for(pullRequestFlow);
  const reached = (step: string) =>
    new Promise<void>((resolve) => {
      const stop = pulls.subscribe("1-4", (change) => {
        if (change.steps[step] !== "waiting") return;
        stop();
        resolve();
      });
    });
  const waiting = reached("review");
  const started = await pulls.start("1-4", PULL);
  await waiting;
  const late = reached("late_review");
  now += 2 * 24 * 3_600_000;
  for (const { ring } of alarms.splice(0)) ring();
  await late;
  expect(calls.some((call) => call.includes("/remind comment @edsger"))).toBe(true);
  await pulls.resume("1-4", "approved", { reviewer: "edsger" });
  expect(await started.result()).toMatchObject({ approve: { approvedBy: "edsger" } });
  await engine.close();
});

it("closing cancels it", async () => {
  const engine = makeEngine();
  const pulls = engine.for(pullRequestFlow);
  const started = await pulls.start("1-5", PULL);
  await pulls.cancel("1-5");
  await expect(started.result()).rejects.toMatchObject({ code: "CANCELLED" });
  await engine.close();
});
