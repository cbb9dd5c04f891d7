import type { CodeHost, PullRequest } from "@hephaestus/example-workflows";

/**
 * GitHub's REST API as the workflow's code host: https://docs.github.com/en/rest. Without an address the calls are
 * logged and nothing leaves the worker.
 */
export function gitHubCodeHost(url: string | undefined, token: string | undefined): CodeHost {
  async function post(path: string, body: unknown, key: string): Promise<void> {
    if (url === undefined) {
      console.log("code host:", path, JSON.stringify(body));
      return;
    }
    const headers = {
      "content-type": "application/json",
      "user-agent": "hephaestus",
      "idempotency-key": key,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    // The body is of no use, but must be read for the connection to be free again.
    await response.text();
    if (!response.ok) throw new Error(`the code host answered ${response.status} to ${path}`);
  }
  const issue = ({ repository, number }: PullRequest) => `/repos/${repository}/issues/${number}`;
  return {
    setStatus: (pull, state, description, key) =>
      post(`/repos/${pull.repository}/statuses/${pull.headSha}`, { state, description, context: "hephaestus" }, key),
    addLabels: (pull, labels, key) => post(`${issue(pull)}/labels`, { labels }, key),
    requestReviewers: (pull, reviewers, key) =>
      post(`/repos/${pull.repository}/pulls/${pull.number}/requested_reviewers`, { reviewers }, key),
    comment: (pull, body, key) => post(`${issue(pull)}/comments`, { body }, key),
  };
}
