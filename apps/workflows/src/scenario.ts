import type { Hephaestus, HistoryEntry } from "@hephaestus/core";
import { type CodeHost, type PullRequest, pullRequestFlow } from "./pull-request-flow.ts";

/*
 * One way through `pull_request_flow`, played in every place where it runs: in memory, in a tab, at the edge. All of
 * them must end with the same history.
 */

/** A code host that only writes down what it was asked. */
export function recordingCodeHost(calls: string[] = []): CodeHost {
  return {
    async setStatus(_pull, state, description, key) {
      calls.push(`${key} status ${state} ${description}`);
    },
    async addLabels(_pull, labels, key) {
      calls.push(`${key} labels ${labels.join()}`);
    },
    async requestReviewers(_pull, reviewers, key) {
      calls.push(`${key} reviewers ${reviewers.join()}`);
    },
    async comment(_pull, text, key) {
      calls.push(`${key} comment ${text}`);
    },
  };
}

export const PULL: PullRequest = {
  repository: "Codertocat/Hello-World",
  repositoryId: 186853002,
  number: 2,
  title: "Update the README with new information.",
  author: "Codertocat",
  headSha: "ec26c3e57ca3a959ca5aad62de7213c562f8c821",
  additions: 1,
  deletions: 1,
  changedFiles: 1,
};

/** Opens a pull request, has changes requested, then approves it. Answers what happened, without times and revisions. */
export async function playChangesRequested(engine: Hephaestus, key: string): Promise<string[]> {
  const pulls = engine.for(pullRequestFlow);
  const started = await pulls.start(key, PULL, { id: `${key}-opened` });
  await reaches(engine, started.id, "review");
  await started.resume(
    "changes_requested",
    { reviewer: "grace", comment: "please add a test" },
    { id: `${key}-review-1` },
  );
  await reaches(engine, started.id, "second_review");
  await started.resume("approved", { reviewer: "grace" }, { id: `${key}-review-2` });
  await started.result();
  return withoutTimes(await started.history(), key);
}

/** Waits until a step waits. */
function reaches(engine: Hephaestus, id: string, step: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = engine.subscribe(id, (change) => {
      if (change.steps[step] === "waiting") finish();
    });
    const finish = () => {
      stop();
      resolve();
    };
    // It may wait already.
    engine.get(id).then((view) => view.steps[step]?.status === "waiting" && finish(), reject);
  });
}

/** A line for each thing that happened. Steps that run at once end in any order, so that the lines are sorted. */
export function withoutTimes(history: readonly HistoryEntry[], key: string): string[] {
  return history
    .map(({ at: _at, revision: _revision, ...entry }) => {
      const { startedAt: _startedAt, wakeAt: _wakeAt, ...kept } = entry as Record<string, unknown>;
      return JSON.stringify(kept).replaceAll(key, "KEY");
    })
    .sort();
}
