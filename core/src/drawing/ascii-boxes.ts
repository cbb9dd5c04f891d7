import { DONE, type Graph } from "../definition/graph.ts";
import { type GraphEdge, START } from "./edges.ts";
import { labelOf, notesOf } from "./labels.ts";

/** The edges that leave a step with the same words written at them: they leave it as one line, which forks. */
export interface Exit {
  readonly label: string;
  /** Positions among the edges. */
  readonly edges: readonly number[];
}

/** A step, the start or the end, as characters. */
export interface Box {
  readonly lines: readonly string[];
  /** The start and the end: one line in round brackets. */
  readonly round: boolean;
  readonly exits: readonly Exit[];
  /** A multiple of 4, and 1: so the middle is an even column where the left side is. */
  readonly width: number;
  readonly height: number;
}

/** Between a line's beginning and the next one's, beside the words. */
const EXIT_PADDING = 3;

/** The boxes by the index of a step, `START` or `DONE`, large enough for what leads in and out. */
export function boxesOf(graph: Graph, edges: readonly GraphEdge[]): ReadonlyMap<number, Box> {
  const exits = new Map<number, Map<string, number[]>>();
  const entries = new Map<number, number>();
  edges.forEach((edge, position) => {
    const own = exits.get(edge.from) ?? new Map<string, number[]>();
    const label = printable(labelOf(edge));
    exits.set(edge.from, own.set(label, [...(own.get(label) ?? []), position]));
    entries.set(edge.to, (entries.get(edge.to) ?? 0) + 1);
  });
  const boxOf = (index: number, lines: readonly string[], round: boolean): Box => {
    const own = [...(exits.get(index) ?? [])].map(([label, positions]): Exit => ({ label, edges: positions }));
    const text = Math.max(...lines.map((line) => line.length)) + 4;
    const above = 2 * (entries.get(index) ?? 0) + 3;
    const below = own.reduce((sum, exit) => sum + exitWidth(exit), 0) + 2;
    const width = 4 * Math.ceil((Math.max(text, above, below) - 1) / 4) + 1;
    return { lines, round, exits: own, width, height: lines.length + (round ? 0 : 2) };
  };
  return new Map([
    ...graph.nodes.map((node) => {
      const lines = [node.name, ...notesOf(node)].map(printable);
      return [node.index, boxOf(node.index, lines, false)] as const;
    }),
    [START, boxOf(START, ["start"], true)],
    [DONE, boxOf(DONE, ["done"], true)],
  ]);
}

/** The room for a line and its words, up to the next line: even. */
export function exitWidth({ label }: Exit): number {
  return label === "" ? 2 : 2 * Math.ceil((label.length + EXIT_PADDING) / 2);
}

/** A box's own rows. */
export function rowsOf({ lines, round, width }: Box): readonly string[] {
  const centred = (line: string) => {
    const before = Math.floor((width - 2 - line.length) / 2);
    return " ".repeat(before) + line.padEnd(width - 2 - before);
  };
  if (round) return lines.map((line) => `(${centred(line)})`);
  const lid = `+${"-".repeat(width - 2)}+`;
  return [lid, ...lines.map((line) => `|${centred(line)}|`), lid];
}

/** Names of checked definitions are plain; a graph that came from elsewhere may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
