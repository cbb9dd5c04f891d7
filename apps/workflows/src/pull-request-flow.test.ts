import { createHephaestus } from "@hephaestus/core";
import { expect, it } from "vitest";
import { pullRequestFlow } from "./pull-request-flow.ts";

it("smoke", async () => {
  const calls: string[] = [];
  const codeHost = {
    setStatus: async (_p: unknown, s: string) => void calls.push(s),
    addLabels: async () => void calls.push("label"),
    requestReviewers: async () => void calls.push("rev"),
    comment: async () => void calls.push("comment"),
  };
  const engine = createHephaestus({ workflows: [pullRequestFlow], connectors: { codeHost } });
  const pulls = engine.for(pullRequestFlow);
  const input = {
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
  const started = await pulls.start("1-2", input);
  expect(await pulls.resume("1-2", "changes_requested", { reviewer: "ada" })).toBe("queued");
  await new Promise<void>((resolve) => {
    const stop = pulls.subscribe("1-2", (c) => {
      if (c.steps.second_review === "waiting") {
        stop();
        resolve();
      }
    });
  });
  expect(await pulls.resume("1-2", "approved", { reviewer: "ada" }, { id: "d1" })).toBe("delivered");
  expect(await pulls.resume("1-2", "approved", { reviewer: "ada" }, { id: "d1" })).toBe("delivered");
  expect(await started.result()).toEqual({
    approve: { approvedBy: "ada" },
    summarize: { text: expect.stringContaining("Size XS") },
  });
  console.log(JSON.stringify(await pulls.history("1-2"), null, 1).slice(0, 3000));
  console.log(JSON.stringify(await engine.list({ status: "completed" })));
  await engine.close();
});
