/** A column of a table, and on which side its text stands. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, column) =>
    Math.max(title.length, 4, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] as number, columns[column]?.align)).join(" | ")} |`;
  const rule = columns.map(({ align }, column) => {
    const dashes = "-".repeat((widths[column] as number) - 1);
    return align === "right" ? `${dashes}:` : `${dashes}-`;
  });
  return [line(columns.map(({ title }) => title)), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

const pad = (text: string, width: number, align: Column["align"] = "left") =>
  align === "right" ? text.padStart(width) : text.padEnd(width);

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
 * @param around what stands between a marker and the text: empty lines for a block, nothing inside of a sentence
 */
export function replaceBetween(text: string, name: string, replacement: string, around = "\n\n"): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  if (from < 0 || to < from) throw new Error(`no markers ${open} … ${close}`);
  return text.slice(0, from + open.length) + around + replacement + around + text.slice(to);
}

/** Three digits that matter, with separators: 1,234,000 or 12.3 or 0.0123. */
export function number(value: number): string {
  if (value === 0) return "0";
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value);
}

/** The median, and all that was seen. */
export const spread = ({ median, low, high }: { median: number; low: number; high: number }) =>
  `${number(median)} (${number(low)} to ${number(high)})`;
