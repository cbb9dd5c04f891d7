import { collectProblems, DefinitionError } from "./problems.ts";
import type { Carried, Edges, Unique } from "./transitions.ts";
import type { AnyWorkflow, Workflow } from "./workflow.ts";

/** What decides which version a start gets, where it does not name one. */
export type VersionFor<Input> = (start: { readonly key?: string; readonly input: Input }) => number | undefined;

/** Several versions of one workflow. Running instances stay on theirs; new ones get `current` unless said otherwise. */
export interface Versions<
  Name extends string,
  Input,
  Output,
  Keyed extends Unique | undefined = Unique | undefined,
  Transitions extends readonly Edges[] = readonly Edges[],
> extends Carried<Input, Output, Keyed, Transitions> {
  readonly name: Name;
  readonly versions: readonly AnyWorkflow[];
  readonly current: number;
  readonly versionFor?: VersionFor<never>;
}

// biome-ignore lint/suspicious/noExplicitAny: where the types of all of them meet
export type AnyVersions = Versions<string, any, any, any, any>;

/** An input must fit every version; an event may go to an instance of any of them. */
type OfAll<W> =
  // biome-ignore lint/suspicious/noExplicitAny: as above
  [W] extends [Workflow<string, infer Input, infer Output, infer Keyed, any>]
    ? Versions<string, Input, Output, Keyed, TransitionsOf<W>>
    : never;
// biome-ignore lint/suspicious/noExplicitAny: as above
type TransitionsOf<W> = W extends Workflow<string, any, any, any, infer Transitions> ? Transitions : never;

/**
 * Puts the versions of a workflow together.
 * @throws DefinitionError
 * @example
 * const orders = defineVersions({
 *   name: "order_flow",
 *   versions: { 1: orderFlowV1, 2: orderFlowV2 },
 *   current: 1,
 *   versionFor: ({ key }) => (isCanary(key) ? 2 : undefined),
 * });
 */
export function defineVersions<const Name extends string, W extends AnyWorkflow>(definition: {
  readonly name: Name;
  readonly versions: { readonly [version: number]: W };
  readonly current: number;
  readonly versionFor?: W extends Workflow<string, infer Input, unknown, Unique | undefined>
    ? VersionFor<Input>
    : never;
}): OfAll<W> {
  const { name, versions, current, versionFor } = definition;
  const problems = collectProblems();
  const all = Object.entries(versions) as [string, AnyWorkflow][];
  for (const [version, workflow] of all) {
    if (workflow.name !== name) {
      problems.add(
        "VERSION_NAME_DIFFERS",
        `version ${version} of ${name} is named ${workflow.name}`,
        version,
        workflow.name,
      );
    }
    if (String(workflow.version) !== version) {
      const message = `version ${version} of ${name} says that it is version ${workflow.version}`;
      problems.add("VERSION_INVALID", message, version, String(workflow.version));
    }
    const [first] = all;
    if (first && keyOf(first[1]) !== keyOf(workflow)) {
      problems.add(
        "VERSION_KEY_DIFFERS",
        `version ${version} of ${name} has another key than version ${first[0]}`,
        version,
      );
    }
  }
  if (!Object.hasOwn(versions, current)) {
    problems.add("VERSION_INVALID", `current is ${current}, which is not among the versions of ${name}`, "current");
  }
  if (problems.list.length > 0) throw new DefinitionError(`versions of ${JSON.stringify(name)}`, problems.list);
  return Object.freeze({
    name,
    versions: all.map(([, workflow]) => workflow),
    current,
    ...(versionFor ? { versionFor } : {}),
  }) as unknown as OfAll<W>;
}

function keyOf({ definition: { unique } }: AnyWorkflow): string {
  return unique ? `${unique.scope ?? "workflow"} ${unique.key}` : "";
}

export function isVersions(value: AnyWorkflow | AnyVersions): value is AnyVersions {
  return "versions" in value;
}
