import type { JsonText } from "../definition/json.ts";
import type { Decision } from "../engine/decide.ts";
import { type MaybePromise, whenThere } from "./maybe-promise.ts";
import { type PayloadReader, resultName } from "./payload-reader.ts";
import type { Code } from "./registry.ts";
import type { Commit } from "./storage.ts";

/**
 * Adds to the row that a commit writes the results that the workflow declares for lists, as they are once it is
 * committed. Those of earlier records are at hand, or loaded by whoever took the instance over.
 */
export function withQueryable(
  commit: Commit,
  code: Code | undefined,
  { draft, payloads = {} }: Decision,
  reader: PayloadReader,
): MaybePromise<Commit> {
  const { header } = commit;
  const declared = code?.definition.queryable ?? [];
  if (header === undefined || declared.length === 0) return commit;
  const ended = declared.flatMap(({ name }) => {
    const step = draft.step(name);
    return step?.result === undefined ? [] : [{ name, revision: step.result, at: resultName(name, step) }];
  });
  if (ended.length === 0) return commit;
  const earlier = ended.flatMap(({ revision }) => (revision === draft.revision ? [] : [revision]));
  return whenThere(reader.at(earlier), (known) => {
    const results: Record<string, JsonText> = {};
    for (const { name, revision, at } of ended) {
      const text = (revision === draft.revision ? payloads : known.get(revision))?.[at];
      if (text !== undefined) results[name] = text;
    }
    return { ...commit, header: { ...header, results } };
  });
}
