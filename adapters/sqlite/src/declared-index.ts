import { type CheckedFilter, checkPath, HephaestusError } from "@hephaestus/core";
import { isArrayIndex, jsonAt } from "./where-sql.ts";

/** Declares the index by which instances are found that were updated between two times. */
export const UPDATED = "updated";

/**
 * The statement that makes a declared index. One on a JSON path serves, within a workflow, equality and `in`; the path
 * stands in it literally, from checked segments, because a bound path never uses an index. Rows that have nothing at
 * the path are not in it.
 *
 * @param declared a path as `where` takes it, or "updated"
 * @throws HephaestusError OPTION_INVALID with `details.field` for what no index can be made of
 */
export function declaredIndexSql(declared: string): string {
  if (declared === UPDATED) {
    return `CREATE INDEX IF NOT EXISTS ${UPDATED_INDEX} ON hephaestus_instances (ns, updated)`;
  }
  const segments = checkDeclaredPath(declared);
  const value = jsonAt(segments, "");
  return `CREATE INDEX IF NOT EXISTS ${pathIndex(declared)}
ON hephaestus_instances (ns, workflow, ${value}, created, id) WHERE ${value} IS NOT NULL`;
}

function checkDeclaredPath(path: string): readonly string[] {
  const refuse = (why: string): never => {
    throw new HephaestusError("OPTION_INVALID", `index ${JSON.stringify(path)}: ${why}`, { field: "indexes" });
  };
  try {
    const segments = checkPath(path);
    return segments.some(isArrayIndex) ? refuse("it cannot look into arrays") : segments;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The name of the declared index that finds the rows better than those that every database has. */
export function declaredIndexFor(filter: CheckedFilter, declared: readonly string[]): string | undefined {
  const { workflow, statuses, updatedAfter, updatedBefore, where } = filter;
  if (workflow === undefined) {
    const isByUpdate = statuses === undefined && (updatedAfter ?? updatedBefore) !== undefined;
    return isByUpdate && declared.includes(UPDATED) ? UPDATED_INDEX : undefined;
  }
  const found = where.find(({ path, condition }) => isEquality(condition) && declared.includes(path.join(".")));
  return found && pathIndex(found.path.join("."));
}

const UPDATED_INDEX = "hephaestus_instances_updated";

function pathIndex(path: string): string {
  return `"hephaestus_path_${path}"`;
}

function isEquality(condition: CheckedFilter["where"][number]["condition"]): boolean {
  return typeof condition !== "object" || condition === null || condition.in !== undefined;
}
