import { createHephaestus } from "@hephaestus/core";
import { type CodeHost, type PullRequest, pullRequestFlow } from "@hephaestus/example-workflows";
import { expect, it, onTestFinished, vi } from "vitest";
import { allowedActions, offeredEvents } from "./actions.ts";

const pull: PullRequest = {
  repository: "a/b",
  repositoryId: 1,
  number: 2,
  title: "Fix the flux capacitor",
  author: "x",
  headSha: "s",
  additions: 3,
  deletions: 4,
  changedFiles: 1,
};
const nothing = async () => {};
const codeHost: CodeHost = { setStatus: nothing, addLabels: nothing, requestReviewers: nothing, comment: nothing };

it("offers the events of the step that waits first, and none when the run has ended", async () => {
  const engine = createHephaestus({ workflows: [pullRequestFlow], connectors: { codeHost } });
  onTestFinished(() => engine.close());
  const { id } = await engine.for(pullRequestFlow).start("1-2", pull);
  const offers = async () => offeredEvents(pullRequestFlow.graph, await engine.get(id));

  await vi.waitFor(async () => expect((await engine.get(id)).status).toBe("waiting"));
  expect(await offers()).toEqual([
    { event: "approved", step: "review", early: false },
    { event: "changes_requested", step: "review", early: false },
  ]);
  await engine.resume(id, "changes_requested", { reviewer: "ada" });
  await vi.waitFor(async () => expect((await engine.get(id)).steps.second_review?.status).toBe("waiting"));
  expect(await offers()).toEqual([{ event: "approved", step: "second_review", early: false }]);
  await engine.cancel(id);
  await vi.waitFor(async () => expect((await engine.get(id)).status).toBe("cancelled"));
  expect(await offers()).toEqual([]);
});

it("offers just the buttons that the engine does not refuse", async () => {
  const engine = createHephaestus({ workflows: [pullRequestFlow], connectors: { codeHost } });
  onTestFinished(() => engine.close());
  const { id } = await engine.for(pullRequestFlow).start("1-2", pull);
  await vi.waitFor(async () => expect((await engine.get(id)).status).toBe("waiting"));
  const refused = async () => {
    const { status } = await engine.get(id);
    const others = (["pause", "unpause", "retry", "restart"] as const).filter(
      (action) => !allowedActions(status).includes(action),
    );
    const answers = await Promise.allSettled(others.map((action) => engine[action](id)));
    return answers.every((answer) => answer.status === "rejected" && answer.reason.code === "STATUS_REFUSES");
  };
  expect(await refused()).toBe(true);
  await engine.pause(id);
  expect(allowedActions("paused")).toEqual(["unpause", "cancel"]);
  await engine.unpause(id);
  expect(await refused()).toBe(true);
  await engine.cancel(id);
  await vi.waitFor(async () => expect((await engine.get(id)).status).toBe("cancelled"));
  expect(await refused()).toBe(true);
});
