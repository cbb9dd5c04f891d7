import { defineStep, defineWorkflow, done, emit, type, waitForEvent } from "@hephaestus/core";

/** What the workflow needs to know of a pull request; read off GitHub's delivery by `pullRequestOf`. */
export interface PullRequest {
  readonly repository: string;
  readonly repositoryId: number;
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly headSha: string;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
}

export interface Review {
  readonly reviewer: string;
  readonly comment?: string;
}

/** The code host, as the workflow uses it. Each call carries the step's idempotency key. */
export interface CodeHost {
  setStatus(pull: PullRequest, state: "success" | "failure", description: string, key: string): Promise<void>;
  addLabels(pull: PullRequest, labels: readonly string[], key: string): Promise<void>;
  requestReviewers(pull: PullRequest, reviewers: readonly string[], key: string): Promise<void>;
  comment(pull: PullRequest, text: string, key: string): Promise<void>;
}

declare module "@hephaestus/core" {
  interface Connectors {
    readonly codeHost: CodeHost;
  }
}

const TITLE_LENGTH_MAX = 72;

export const checkTitle = defineStep({
  name: "check_title",
  input: type<PullRequest>(),
  execution: "queue",
  run: async ({ input, connectors, idempotencyKey }) => {
    const problems = [
      ...(input.title.trim().length < 10 ? ["too short to say what changes"] : []),
      ...(input.title.length > TITLE_LENGTH_MAX ? [`longer than ${TITLE_LENGTH_MAX} characters`] : []),
      ...(/\.$/.test(input.title) ? ["ends with a full stop"] : []),
    ];
    const verdict = problems.length === 0 ? "title is fine" : problems.join(", ");
    await connectors.codeHost.setStatus(input, problems.length === 0 ? "success" : "failure", verdict, idempotencyKey);
    return { ok: problems.length === 0, problems };
  },
});

export const labelSize = defineStep({
  name: "label_size",
  input: type<PullRequest>(),
  execution: "queue",
  run: async ({ input, connectors, idempotencyKey }) => {
    const lines = input.additions + input.deletions;
    const size = lines < 10 ? "XS" : lines < 50 ? "S" : lines < 250 ? "M" : lines < 1_000 ? "L" : "XL";
    await connectors.codeHost.addLabels(input, [`size/${size}`], idempotencyKey);
    return { size, lines };
  },
});

/** Who looks after what; the author never reviews their own change. */
const REVIEWERS = ["ada", "grace", "edsger", "barbara"] as const;

export const chooseReviewers = defineStep({
  name: "choose_reviewers",
  input: type<PullRequest>(),
  execution: "queue",
  run: async ({ input, connectors, idempotencyKey }) => {
    const count = input.changedFiles > 20 ? 2 : 1;
    const candidates = REVIEWERS.filter((reviewer) => reviewer !== input.author.toLowerCase());
    const reviewers = Array.from(
      { length: count },
      (_, n) => candidates[(input.number + n) % candidates.length] ?? "ada",
    );
    await connectors.codeHost.requestReviewers(input, reviewers, idempotencyKey);
    return { reviewers };
  },
});

export const summarize = defineStep({
  name: "summarize",
  input: type<PullRequest>(),
  needs: [checkTitle, labelSize, chooseReviewers],
  run: async ({ input, results, connectors, idempotencyKey }) => {
    const { check_title: title, label_size: size, choose_reviewers: chosen } = results;
    const text = `Size ${size.size}. Title ${title.ok ? "fine" : title.problems.join(", ")}. Review by ${chosen.reviewers.join(", ")}.`;
    await connectors.codeHost.comment(input, text, idempotencyKey);
    return { text };
  },
});

/** How long a review may take before somebody is reminded. */
export const REVIEW_REMINDER = { days: 2 } as const;

export const review = waitForEvent({
  name: "review",
  events: { approved: type<Review>(), changes_requested: type<Review>() },
  timeout: REVIEW_REMINDER,
});

export const remind = defineStep({
  name: "remind",
  input: type<PullRequest>(),
  needs: [chooseReviewers],
  run: async ({ input, results, connectors, idempotencyKey }) => {
    const reviewers = results.choose_reviewers.reviewers.map((name) => `@${name}`).join(" ");
    await connectors.codeHost.comment(input, `${reviewers} this is still waiting for you.`, idempotencyKey);
    return { reminded: results.choose_reviewers.reviewers };
  },
});

export const lateReview = waitForEvent({
  name: "late_review",
  events: { approved: type<Review>(), changes_requested: type<Review>() },
});

export const askForChanges = defineStep({
  name: "ask_for_changes",
  input: type<PullRequest>(),
  run: async ({ input, connectors, idempotencyKey }) => {
    await connectors.codeHost.setStatus(input, "failure", "changes were requested", idempotencyKey);
    return { author: input.author };
  },
});

export const secondReview = waitForEvent({
  name: "second_review",
  events: { approved: type<Review>() },
});

export const approve = defineStep({
  name: "approve",
  input: type<PullRequest>(),
  events: ["ready"],
  maybeNeeds: [review, lateReview, secondReview],
  run: async ({ input, results, connectors, idempotencyKey }) => {
    const { reviewer } = results.second_review ?? results.late_review ?? results.review ?? { reviewer: "somebody" };
    await connectors.codeHost.setStatus(input, "success", `approved by ${reviewer}`, idempotencyKey);
    return emit("ready", { approvedBy: reviewer });
  },
});

/** What happens to a pull request from its opening to its approval. When it is closed, the run is cancelled. */
export const pullRequestFlow = defineWorkflow({
  name: "pull_request_flow",
  input: type<PullRequest>(),
  unique: { key: "pull" },
  tags: ["github"],
  start: [checkTitle, labelSize, chooseReviewers],
  transitions: ({ on }) => [
    on(checkTitle, { done: summarize }),
    on(labelSize, { done: summarize }),
    on(chooseReviewers, { done: summarize }),
    on(summarize, { done: review }),
    on(review, { approved: approve, changes_requested: askForChanges, timeout: remind }),
    on(remind, { done: lateReview }),
    on(lateReview, { approved: approve, changes_requested: askForChanges }),
    on(askForChanges, { done: secondReview }),
    on(secondReview, { approved: approve }),
    on(approve, { ready: done }),
  ],
  output: [approve, summarize],
});
