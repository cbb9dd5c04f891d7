import type { WhereCondition } from "@hephaestus/core";
import { isWellFormed } from "./text.ts";

/**
 * A condition as SQL. Where SQLite cannot say exactly what core means, it says something wider, and `exact` is false:
 * then each row must still be asked with core's `matchesFilter`.
 */
export interface WhereSql {
  readonly conditions: readonly string[];
  readonly exact: boolean;
}

/**
 * The JSON text at a path of a row, as an SQL expression; NULL if there is nothing. The path stands in it literally
 * (its segments are checked: letters, digits, `_`, `-`), because a bound path never uses an index on the expression.
 * Two values are equal exactly if their JSON texts are, types included, since all of them come from `JSON.stringify`.
 *
 * @param path from `checkPath`
 * @param row the row's alias, with a dot
 */
export function jsonAt([root = "", ...segments]: readonly string[], row = "i."): string {
  // A step's result stands in an array of one, see `toHeaderRow`.
  if (root === "results") return descend(`${row}results`, `."${segments[0]}"[0]`, segments.slice(1));
  return descend(row + root, "", segments);
}

/** An index of an array; larger ones do not occur, and SQLite would misread them. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

export function isArrayIndex(segment: string): boolean {
  return INDEX.test(segment);
}

function descend(column: string, start: string, segments: readonly string[]): string {
  let sql = column;
  let path = start;
  const take = () => {
    if (path !== "") sql = `${sql} -> '$${path}'`;
    path = "";
  };
  for (const segment of segments) {
    if (!isArrayIndex(segment)) {
      path += `."${segment}"`;
      continue;
    }
    // It may be an index or a property, as what is there turns out to be.
    take();
    sql = `(SELECT coalesce(j -> '$."${segment}"', j -> '$[${segment}]') FROM (SELECT ${sql} AS j))`;
  }
  take();
  return `(${sql})`;
}

/**
 * Compiles one condition of `where` so that it answers as core's `matchesFilter` does.
 *
 * @param operand binds a value and answers the SQL that stands for it
 */
export function whereSql(
  path: readonly string[],
  condition: WhereCondition,
  operand: (value: unknown) => string,
): WhereSql {
  const json = jsonAt(path);
  const { conditions, exact } = compare(json, condition, operand);
  if (path.at(-1) !== "length" || path.length < (path[0] === "results" ? 3 : 2)) return { conditions, exact };
  // An array has a length for `matchesFilter`, which no JSON text has.
  const holder = path.length === 2 ? `i.${path[0]}` : jsonAt(path.slice(0, -1));
  return { conditions: conditions.map((one) => `(${one} OR json_type(${holder}) = 'array')`), exact: false };
}

function compare(json: string, condition: WhereCondition, operand: (value: unknown) => string): WhereSql {
  if (typeof condition !== "object" || condition === null) {
    return { conditions: [`${json} = ${operand(JSON.stringify(condition))}`], exact: true };
  }
  const conditions: string[] = [];
  let exact = true;
  const text = `json_type(${json}) = 'text'`;
  const value = `(${json} ->> '$')`;
  if (condition.in !== undefined) {
    const members = operand(condition.in.map((one) => JSON.stringify(one)));
    conditions.push(`${json} IN (SELECT value FROM json_each(${members}))`);
  }
  if (condition.exists !== undefined) conditions.push(`${json} IS ${condition.exists ? "NOT NULL" : "NULL"}`);
  if (condition.contains !== undefined) {
    // Half a character can stand inside a whole one for JavaScript, but not in UTF-8.
    const whole = isWellFormed(condition.contains);
    conditions.push(whole ? `${text} AND instr(${value}, ${operand(condition.contains)}) > 0` : text);
    exact &&= whole;
  }
  for (const [name, operator] of BOUNDS) {
    const bound = condition[name];
    if (typeof bound === "number") {
      conditions.push(`json_type(${json}) IN ('integer', 'real') AND ${value} ${operator} ${operand(bound)}`);
    } else if (bound !== undefined) {
      const common = lowPrefix(bound);
      exact &&= common === bound;
      conditions.push(
        common === bound
          ? `${text} AND ${value} ${operator} ${operand(bound)}`
          : name.startsWith("g")
            ? `${text} AND ${value} >= ${operand(common)}`
            : `${text} AND (${value} < ${operand(common)} OR instr(${value}, ${operand(common)}) = 1)`,
      );
    }
  }
  return { conditions, exact };
}

const BOUNDS = [
  ["gt", ">"],
  ["gte", ">="],
  ["lt", "<"],
  ["lte", "<="],
] as const;

/**
 * The start of a bound up to which JavaScript's order (of UTF-16 units) and SQLite's (of UTF-8 bytes) are the same:
 * they part where a character beyond the first 65,536 meets one from U+E000 on.
 */
function lowPrefix(bound: string): string {
  return bound.slice(0, /[\ud800-\uffff]/.exec(bound)?.index);
}
