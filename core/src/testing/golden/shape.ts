import type { KeptCommit } from "./kept.ts";

/*
 * The shape of what is stored: every field with the kinds of its values, whatever the workflow. Two versions that write
 * the same shape can read each other; in how many commits they write it does not matter.
 */

/** Fields whose keys are names of the user's: one shape for all of them. */
const NAMED = new Set(["steps", "checkpoints", "metadata", "telemetry", "results", "details", "reply", "input"]);
/** Fields whose values are words of the format. */
const WORDS = new Set(["status", "type", "outcome"]);

/** Each field's path with the kind of a value that stands there: `changes.steps.*.status "waiting"`. */
export function shapeOf(commits: readonly KeptCommit[]): ReadonlySet<string> {
  const shape = new Set<string>();
  for (const { run: _run, expected: _expected, id: _id, nonce: _nonce, ...commit } of commits) {
    walk(JSON.parse(JSON.stringify(commit)), "", "", shape);
  }
  return shape;
}

function walk(value: unknown, path: string, field: string, shape: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) walk(item, `${path}[]`, field, shape);
  else if (typeof value === "object" && value !== null) {
    if (path !== "") shape.add(`${path} object`);
    for (const [key, one] of Object.entries(value)) {
      const name = field === "payloads" ? key.replace(/:.*/, ":*") : NAMED.has(field) ? "*" : key;
      walk(one, path === "" ? name : `${path}.${name}`, name, shape);
    }
  } else shape.add(`${path} ${WORDS.has(field) ? JSON.stringify(value) : value === null ? "null" : typeof value}`);
}
