import type { SqlValue, Statement } from "./port.ts";

/**
 * The longest text that is bound, in UTF-16 units: at three bytes each it stays under the 2 MB that D1 takes as one
 * value.
 */
export const BOUND_LENGTH_MAX = 500_000;

/** What the text of a statement calls the rows that it is fed. */
export interface FedRows {
  /** A column of the row, as an expression. */
  readonly column: (name: string) => string;
  /** What stands in an INSERT in place of VALUES: a row of these expressions for each row. */
  readonly values: (expressions: readonly string[]) => string;
  /** The rows as what a SELECT is from, with named columns. */
  readonly table: string;
}

/**
 * A statement for any number of rows: as many as fit come through one bound JSON text; a row by itself, and one that is
 * too large for that, has each of its values bound. Its two texts are made once, so that whoever keeps prepared
 * statements finds them by the same string.
 *
 * @param columns of a row, in order
 * @param text in which `?1` is the namespace
 */
export function fedStatement(columns: readonly string[], text: (rows: FedRows) => string) {
  const named = (column: FedRows["column"]) => columns.map((name) => `${column(name)} AS ${name}`).join(", ");
  const parameter = (name: string) => `?${columns.indexOf(name) + 2}`;
  const bound = text({
    column: parameter,
    values: (expressions) => `VALUES (${expressions.join(", ")})`,
    table: `(SELECT ${named(parameter)})`,
  });
  const extracted = (name: string) => `(fed.value ->> ${columns.indexOf(name)})`;
  const fromJson = text({
    column: extracted,
    // Without a WHERE, the ON of an ON CONFLICT would be taken for that of a join.
    values: (expressions) => `SELECT ${expressions.join(", ")} FROM json_each(?2) fed WHERE true`,
    table: `(SELECT ${named(extracted)} FROM json_each(?2) fed)`,
  });
  return (ns: string, rows: readonly (readonly SqlValue[])[]): readonly Statement[] => {
    const [first] = rows;
    if (first === undefined) return [];
    if (rows.length === 1) return [{ sql: bound, params: [ns, ...first] }];
    const statements: Statement[] = [];
    let group: string[] = [];
    let length = 0;
    const flush = () => {
      if (group.length > 0) statements.push({ sql: fromJson, params: [ns, `[${group.join(",")}]`] });
      group = [];
      length = 0;
    };
    for (const row of rows) {
      const json = JSON.stringify(row);
      if (json.length > BOUND_LENGTH_MAX) {
        statements.push({ sql: bound, params: [ns, ...row] });
        continue;
      }
      if (length + json.length > BOUND_LENGTH_MAX) flush();
      group.push(json);
      length += json.length + 1;
    }
    flush();
    return statements;
  };
}
