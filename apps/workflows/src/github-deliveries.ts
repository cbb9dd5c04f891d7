import type { PullRequest, Review } from "./pull-request-flow.ts";

/** What a delivery of GitHub's asks of `pull_request_flow`. */
export type DeliveryAction =
  | { readonly do: "start"; readonly key: string; readonly input: PullRequest }
  | {
      readonly do: "resume";
      readonly key: string;
      readonly event: "approved" | "changes_requested";
      readonly payload: Review;
    }
  | { readonly do: "cancel"; readonly key: string }
  | { readonly do: "ignore"; readonly why: string };

/** The fields of GitHub's payloads that are read here. */
interface Delivery {
  readonly action?: string;
  readonly number?: number;
  readonly repository?: { readonly id: number; readonly full_name: string };
  readonly pull_request?: {
    readonly number: number;
    readonly title: string;
    readonly user: { readonly login: string } | null;
    readonly head: { readonly sha: string };
    readonly additions?: number;
    readonly deletions?: number;
    readonly changed_files?: number;
  };
  readonly review?: {
    readonly state: string;
    readonly body: string | null;
    readonly user: { readonly login: string } | null;
  };
}

/**
 * Reads a delivery: https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * @param name the value of `X-GitHub-Event`
 */
export function actionOf(name: string, body: unknown): DeliveryAction {
  const { action, pull_request: pull, repository, review } = (body ?? {}) as Delivery;
  if (!pull || !repository) return { do: "ignore", why: `${name} is not about a pull request` };
  const key = `${repository.id}-${pull.number}`;
  if (name === "pull_request" && action === "opened")
    return { do: "start", key, input: pullRequestOf(pull, repository) };
  if (name === "pull_request" && action === "closed") return { do: "cancel", key };
  if (name === "pull_request_review" && action === "submitted" && review) {
    const state = review.state.toLowerCase();
    if (state === "approved" || state === "changes_requested") {
      const comment = review.body ? { comment: review.body } : {};
      return { do: "resume", key, event: state, payload: { reviewer: review.user?.login ?? "ghost", ...comment } };
    }
  }
  return { do: "ignore", why: `${name} ${action ?? ""} changes nothing` };
}

function pullRequestOf(
  pull: NonNullable<Delivery["pull_request"]>,
  repository: NonNullable<Delivery["repository"]>,
): PullRequest {
  return {
    repository: repository.full_name,
    repositoryId: repository.id,
    number: pull.number,
    title: pull.title,
    author: pull.user?.login ?? "ghost",
    headSha: pull.head.sha,
    additions: pull.additions ?? 0,
    deletions: pull.deletions ?? 0,
    changedFiles: pull.changed_files ?? 0,
  };
}
