import type { PullRequest } from "@hephaestus/example-workflows";

const NUMBER_KEY = "hephaestus-demo:next-number";
const TITLES = [
  "Teach the anvil to keep its temper",
  "Quench blades in oil, not in water",
  "Bank the fire before the night shift",
  "Measure the heat by colour, not by feel",
] as const;

/** A pull request that nobody has opened yet in this browser; where its numbers begin is left to chance. */
export function samplePullRequest(): PullRequest {
  const stored = Number(localStorage.getItem(NUMBER_KEY));
  const number = Number.isSafeInteger(stored) && stored > 0 ? stored : 100 + Math.floor(Math.random() * 900);
  return {
    repository: "octocat/hello-world",
    repositoryId: 1_296_269,
    number,
    title: TITLES[number % TITLES.length] ?? TITLES[0],
    author: "octocat",
    headSha: "6dcb09b5b57875f334f61aebed695e2e4193db5e",
    additions: 42,
    deletions: 7,
    changedFiles: 3,
  };
}

/** The next sample gets another number than this one. */
export function rememberNumber(number: number): void {
  localStorage.setItem(NUMBER_KEY, String(number + 1));
}

export const keyOf = ({ repositoryId, number }: Pick<PullRequest, "repositoryId" | "number">) =>
  `${repositoryId}-${number}`;

/** What a first payload for an event may look like; the sender edits it. */
export function samplePayload(event: string): string {
  if (event === "approved") return JSON.stringify({ reviewer: "ada", comment: "Looks good to me." }, undefined, 2);
  if (event === "changes_requested") {
    return JSON.stringify({ reviewer: "grace", comment: "Please add a test." }, undefined, 2);
  }
  return "{}";
}
