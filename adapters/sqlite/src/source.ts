import type { SqlValue } from "./port.ts";

/**
 * The longest text that is bound, in UTF-16 units: at three bytes each it stays under the 2 MB that D1 takes as one
 * value.
 */
export const BOUND_LENGTH_MAX = 500_000;

/** Rows as a SELECT with named columns. Parameters begin at `?2`; `?1` is left to the namespace. */
export interface Source {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * Any number of rows as the fewest SELECTs: as many rows as fit come through one bound JSON text, and a row that is
 * too large for that has each of its values bound by itself.
 */
export function sources(columns: readonly string[], rows: readonly (readonly SqlValue[])[]): readonly Source[] {
  const answer: Source[] = [];
  let group: string[] = [];
  let length = 0;
  const flush = () => {
    if (group.length > 0) answer.push(fromJson(columns, `[${group.join(",")}]`));
    group = [];
    length = 0;
  };
  // A row by itself is spared the way through JSON.
  if (rows.length === 1) return [fromValues(columns, rows[0] as readonly SqlValue[])];
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (text.length > BOUND_LENGTH_MAX) {
      answer.push(fromValues(columns, row));
      continue;
    }
    if (length + text.length > BOUND_LENGTH_MAX) flush();
    group.push(text);
    length += text.length + 1;
  }
  flush();
  return answer;
}

function fromJson(columns: readonly string[], json: string): Source {
  const values = columns.map((column, index) => `value ->> ${index} AS ${column}`);
  return { sql: `SELECT ${values.join(", ")} FROM json_each(?2)`, params: [json] };
}

function fromValues(columns: readonly string[], params: readonly SqlValue[]): Source {
  return { sql: `SELECT ${columns.map((column, index) => `?${index + 2} AS ${column}`).join(", ")}`, params };
}
