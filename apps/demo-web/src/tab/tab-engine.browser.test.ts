import type { HistoryEntry } from "@hephaestus/core";
import type { PullRequest } from "@hephaestus/example-workflows";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { describeError, type InstanceSource } from "../source/instance-source.ts";
import { tabSource } from "../source/tab-source.ts";
import { type LocalCodeHost, localCodeHost } from "./local-code-host.ts";
import { makeTabEngine } from "./tab-engine.ts";

const pull: PullRequest = {
  repository: "octocat/hello-world",
  repositoryId: 7,
  number: 42,
  title: "Teach the anvil to keep its temper",
  author: "octocat",
  headSha: "6dcb09b",
  additions: 42,
  deletions: 7,
  changedFiles: 3,
};
const input = { ...pull };

/** A tab of its own: an engine on a database that no other test has. */
function openTab(database = `demo-test-${crypto.randomUUID()}`): {
  readonly tab: InstanceSource;
  readonly codeHost: LocalCodeHost;
  readonly close: () => Promise<void>;
  readonly database: string;
} {
  const codeHost = localCodeHost();
  const engine = makeTabEngine(codeHost.connector, { name: database });
  onTestFinished(() => engine.close());
  return { tab: tabSource(engine), codeHost, close: () => engine.close(), database };
}

const reaches = (tab: InstanceSource, id: string, step: string, status: string) =>
  expect.poll(async () => (await tab.get(id)).steps[step]?.status, { timeout: 10_000 }).toBe(status);
const ends = (tab: InstanceSource, id: string, status: string) =>
  expect.poll(async () => (await tab.get(id)).status, { timeout: 10_000 }).toBe(status);
const completions = (history: readonly HistoryEntry[]) =>
  history.flatMap((entry) => (entry.type === "step" && entry.status === "completed" ? [entry.step] : [])).sort();

beforeEach(() => {
  localStorage.clear();
  localCodeHost().configure({ callMs: 20, down: false });
});
afterEach(() => vi.restoreAllMocks());

it("takes a pull request from its opening over a round of changes to its approval", async () => {
  const { tab, codeHost } = openTab();
  const { id, run } = await tab.start("pull_request_flow", "7-42", input);
  expect([id, run]).toEqual(["pull_request_flow/pull::7-42", 1]);

  await reaches(tab, id, "review", "waiting");
  expect(await tab.send(id, "changes_requested", { reviewer: "grace" })).toBe("delivered");
  await reaches(tab, id, "second_review", "waiting");
  expect(await tab.send(id, "approved", { reviewer: "ada" })).toBe("delivered");
  await ends(tab, id, "completed");

  const view = await tab.get(id);
  expect(view.steps.approve?.result).toEqual({ approvedBy: "ada" });
  expect(view.steps.remind?.status).toBe("skipped");
  const steps = ["approve", "ask_for_changes", "check_title", "choose_reviewers", "label_size", "summarize"];
  expect(completions(await tab.history(id))).toEqual([...steps, "review", "second_review"].sort());
  // One call for each step, under a key of its own, and each was answered.
  expect(
    codeHost
      .calls()
      .map((call) => call.idempotencyKey)
      .sort(),
  ).toEqual(steps.map((step) => `${id}#1/${step}`));
  expect(codeHost.calls().map((call) => call.outcome)).toEqual(steps.map(() => "done"));
  expect((await tab.list({ limit: 10, status: "completed" })).items.map((item) => item.id)).toEqual([id]);
  expect((await tab.list({ limit: 10, status: "waiting" })).items).toEqual([]);
});

it("goes on in the next engine where the one before was closed", async () => {
  const { tab, close, database } = openTab();
  const { id } = await tab.start("pull_request_flow", "7-42", input);
  await reaches(tab, id, "review", "waiting");
  await close();

  const next = openTab(database);
  expect((await next.tab.get(id)).steps.review?.status).toBe("waiting");
  expect(await next.tab.send(id, "approved", { reviewer: "ada" })).toBe("delivered");
  await ends(next.tab, id, "completed");
  expect(next.codeHost.calls().filter((call) => call.idempotencyKey.endsWith("/check_title"))).toHaveLength(1);
});

it("tries a step again while the code host is down, and does nothing twice when it is back", async () => {
  const { tab, codeHost } = openTab();
  codeHost.configure({ down: true });
  const { id } = await tab.start("pull_request_flow", "7-42", input);
  await expect
    .poll(async () => (await tab.get(id)).steps.check_title?.failures, { timeout: 10_000 })
    .toBeGreaterThan(0);
  expect((await tab.get(id)).steps.check_title?.error?.message).toBe("the code host is down");
  codeHost.configure({ down: false });
  await reaches(tab, id, "review", "waiting");
  const done = codeHost.calls().filter((call) => call.outcome === "done");
  expect(new Set(done.map((call) => call.idempotencyKey)).size).toBe(done.length);
});

it("pauses, goes on, cancels and starts again", async () => {
  const { tab } = openTab();
  const { id } = await tab.start("pull_request_flow", "7-42", input);
  await reaches(tab, id, "review", "waiting");
  await tab.act(id, "pause");
  expect((await tab.get(id)).status).toBe("paused");
  expect(await tab.send(id, "approved", { reviewer: "ada" })).toBe("queued");
  await tab.act(id, "unpause");
  await ends(tab, id, "completed");
  await tab.act(id, "restart");
  expect((await tab.get(id)).run).toBe(2);
  await reaches(tab, id, "review", "waiting");
  await tab.act(id, "cancel");
  await ends(tab, id, "cancelled");
  const refused = await tab.act(id, "pause").catch(describeError);
  expect(refused).toMatchObject({ code: "STATUS_REFUSES" });
});
