import type { Graph } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";

/** The workflow that this page can start. */
export const WORKFLOW = pullRequestFlow.name;

/** The graph of a workflow whose code is in this page: the edge may run others, whose steps are only listed. */
export function graphOf({
  workflow,
  version,
}: {
  readonly workflow: string;
  readonly version: number;
}): Graph | undefined {
  return [pullRequestFlow].find((one) => one.name === workflow && one.version === version)?.graph;
}
