import { COUNTS } from "./counts.ts";
import { PRICES, type Price, perMillion, perMonth, type Usage, WORKFLOWS_PRICING } from "./prices.ts";
import { ASSUMED, ours, theirs, WAITED_SECOND, withoutIndex } from "./usage.ts";
import { type Shape, shapes } from "./workflows.ts";

const SHAPES = Object.keys(shapes) as Shape[];
const MONTHS = [1_000_000, 10_000_000, 100_000_000];

const dollars = (amount: number) =>
  `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/** A table as the formatter leaves it: padded, numbers on the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** From how many seconds of waiting on it is cheaper to have steps on the queue than in the object. */
const breakEven = (inline: Usage, queue: Usage) =>
  ((perMillion(queue) - perMillion(inline)) / perMillion(WAITED_SECOND)).toFixed(1);

/** The parts of the page on cost that are computed, by the names of their markers. */
export const PARTS: Readonly<Record<string, string>> = {
  counts: table(
    ["workflow", "rows in the object", "calls of the object", "rows in D1", "messages"],
    SHAPES.map((shape) => {
      const { objectRows, objectRequests, indexRows, messages } = COUNTS[shape].withIndex;
      return [shape, ...[objectRows, objectRequests, indexRows, messages].map(String)];
    }),
  ),
  bare: table(
    ["without D1", "rows in the object", "calls of the object"],
    SHAPES.map((shape) => {
      const { objectRows, objectRequests } = COUNTS[shape].withoutIndex;
      return [shape, ...[objectRows, objectRequests].map(String)];
    }),
  ),
  prices: table(
    ["price", "for a million", "included each month", "the page's date"],
    Object.values<Price>(PRICES).map(({ what, perMillion: price, included, source, dated }) => [
      `[${what}](${source})`,
      dollars(price),
      included.toLocaleString("en"),
      dated,
    ]),
  ),
  workflows: `[The page on Workflows](${WORKFLOWS_PRICING.source}) bears the date ${WORKFLOWS_PRICING.dated}.`,
  money: table(
    ["a million workflows", "ours", "without D1", "Cloudflare Workflows"],
    SHAPES.map((shape) => [
      shape,
      ...[ours(shape), withoutIndex(shape), theirs(shape)].map((usage) => dollars(perMillion(usage))),
    ]),
  ),
  months: table(
    ["three inline steps, in a month", "ours", "without D1", "Cloudflare Workflows"],
    MONTHS.map((times) => [
      times.toLocaleString("en"),
      ...[ours, withoutIndex, theirs].map((usage) => dollars(perMonth(usage("three inline steps"), times))),
    ]),
  ),
  assumed: `A call and a step in a Worker take ${ASSUMED.cpuMs} ms of CPU, and an object is awake for ${ASSUMED.objectMs} ms for each call; a second in which an inline step waits adds ${dollars(perMillion(WAITED_SECOND))} for a million.`,
  queue: [
    `- One step: inline is cheaper while it waits for less than ${breakEven(ours("three inline steps"), ours("a step, one on the queue, a step"))} s.`,
    `- A fan-out of 100: inline is cheaper while its slowest step waits for less than ${breakEven(ours("a fan-out of 100, inline"), ours("a fan-out of 100, by the queue"))} s, since all of them wait in one object at once.`,
  ].join("\n"),
};

/** Puts the computed parts between their markers. */
export function withParts(page: string): string {
  return Object.entries(PARTS).reduce((text, [name, part]) => {
    const [open, close] = [`<!-- cost:${name} -->`, `<!-- /cost:${name} -->`];
    const [from, to] = [text.indexOf(open), text.indexOf(close)];
    if (from < 0 || to < from) throw new Error(`no markers ${open} … ${close}`);
    return `${text.slice(0, from + open.length)}\n\n${part}\n\n${text.slice(to)}`;
  }, page);
}
