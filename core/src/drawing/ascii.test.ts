import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chain, detour, everyKind, fan, graphs, renamed } from "../../test/graphs.ts";
import { cases } from "../../test/lane.ts";
import { DONE, type Graph } from "../definition/graph.ts";
import { toAscii } from "./ascii.ts";
import { edgesOf } from "./edges.ts";

const nameOf = (graph: Graph, index: number) => (index === DONE ? "done" : graph.nodes[index]?.name);
const edgeNames = (graph: Graph) => [
  ...graph.starts.map((to) => `start > ${nameOf(graph, to)}`),
  ...edgesOf(graph).map(({ from, to }) => `${nameOf(graph, from)} > ${nameOf(graph, to)}`),
];

/** Reads a drawing as a person does: finds the boxes, and follows each line that leaves one to its arrows. */
function readAscii(text: string): { readonly boxes: string[]; readonly edges: string[] } {
  const rows = text.split("\n");
  const at = (row: number, column: number) => rows[row]?.[column] ?? " ";
  const boxes = rows.flatMap((line, row) => {
    const ends = [...line.matchAll(/\( *(start|done) *\)/g)].map(({ 0: { length }, 1: name = "", index }) => ({
      name,
      left: index,
      right: index + length,
      top: row,
      bottom: row,
    }));
    // A lid has a row of its box beneath it, and no line above it but an arrow.
    const lids = [...line.matchAll(/\+-+(?=\+)/g)].flatMap(({ 0: { length }, index }) => {
      const right = index + length + 1;
      const name = rows[row + 1]?.slice(index, right).match(/^\| +(\S+) +\|$/)?.[1];
      if (name === undefined || at(row + 1, index) !== "|" || line.slice(index, right).match(/^\+-+\+$/) === null)
        return [];
      let bottom = row + 1;
      while (at(bottom, index) === "|") bottom += 1;
      return at(bottom, index) === "+" && at(bottom, right - 1) === "+" && at(bottom, index + 1) === "-"
        ? [{ name, left: index, right, top: row, bottom }]
        : [];
    });
    return [...ends, ...lids];
  });

  const edges = boxes.flatMap((box) => {
    const found: string[] = [];
    const seen = new Set<string>();
    const follow = (row: number, column: number, down: number, right: number): void => {
      const here = at(row, column);
      const key = `${row} ${column} ${here === "+" ? "" : Math.abs(down)}`;
      if (seen.has(key)) return;
      seen.add(key);
      if (here === "v") {
        const target = boxes.find(({ left, right, top }) => top === row + 1 && left < column && column < right);
        found.push(`${box.name} > ${target?.name}`);
      } else if (here === "|" && right !== 0) {
        // A crossing: on to the other side.
        follow(row, column + right, 0, right);
      } else if (here === "|" || here === "-") {
        follow(row + down, column + right, down, right);
      } else if (here === "+") {
        for (const side of [-1, 1]) if (/[-+]/.test(at(row, column + side))) follow(row, column + side, 0, side);
        if (/[|+v]/.test(at(row + 1, column))) follow(row + 1, column, 1, 0);
      }
    };
    for (let column = box.left + 1; column < box.right - 1; column++) {
      if (at(box.bottom + 1, column) === "|") follow(box.bottom + 1, column, 1, 0);
    }
    return found;
  });
  return { boxes: boxes.map(({ name }) => name), edges };
}

describe("a drawing of characters", () => {
  it("shows joins, choices, waits, failure routes, the start and the end", () => {
    expect(toAscii(everyKind())).toMatchInlineSnapshot(`
      "                                ( start )
                                          |
                                    +-----+-+
                                    v       v
                      +---------------+   +-----------------------+
                      |     first     |   |        second         |
                      +---------------+   | skipped when it fails |
                          | failed  |     +-----------------------+
                          |         |                 |
        +-----------------+         +---+             |
        |                               v             v
        |                             +---------------------------------------------------+
        |                             |                       check                       |
        |                             |                     any of 2                      |
        |                             +---------------------------------------------------+
        |                                 | bad (choose)  | good  | bad (choose), failed
      +-+   +-----------------------------+               +-------|-+---------------------------+
      |     |                                             |       +-|---------------------------|-----------------------+
      |     |                                             v         v                           v                       |
      |     |   +-------------------------------------------+     +-----------------------+   +-------------------+     |
      |     |   |                  answer                   |     |        endless        |   |       pause       |     |
      |     |   | waits for an event, at most 2 days 1 hour |     |  waits for an event   |   |  waits 5 minutes  |     |
      |     |   +-------------------------------------------+     +-----------------------+   +-------------------+     |
      |     |                         | yes, timeout                          | yes                     |               |
      +-+   +-+                       +-------------+                         |     +-------------------+             +-+
        |     |                                     v                         v     v                                 |
        |     |                                   +-----------------------------------+                               |
        |     |                                   |              enough               |                               |
        |     |                                   | at least 2 of 3, cancels the rest |                               |
        |     |                                   +-----------------------------------+                               |
        |     |                                                     | (choose)                                        |
        +-----|---------------+   +---------------------------------+-----+                                         +-+
              +---------------|-+ |                                       |                                         |
                              v v v                                       |                                         |
                            +-------+                                     |                                         |
                            | tell  |                                     |                                         |
                            +-------+                                     |                                         |
                                |                                         |                                         |
                                +-----------------------------------------|-----+   +-------------------------------+
                                                                          +-----|-+ |
                                                                                v v v
                                                                              ( done  )
      "
    `);
  });

  it("shows every step of any graph once, and lines that lead along its edges and no others", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { boxes, edges } = readAscii(toAscii(graph));
        expect(boxes.sort()).toEqual(["start", "done", ...graph.nodes.map(({ name }) => name)].sort());
        expect(edges.sort()).toEqual(edgeNames(graph).sort());
      }),
      { numRuns: cases(100) },
    );
  }, 60_000);

  it.each([
    ["a fan of 12", fan(12)],
    ["a detour", detour()],
    ["one of everything", everyKind()],
    ["a chain of 300", chain(300)],
  ])("can be followed: %s", (_, graph) => {
    expect(readAscii(toAscii(graph)).edges.sort()).toEqual(edgeNames(graph).sort());
  });

  it("shows what a terminal would obey as text", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff), { maxLength: 8 }), (noise) => {
        const hostile = renamed(detour(), (name) => `${name}\u001b[2J\n${String.fromCodePoint(...noise)}`);
        expect(toAscii(hostile)).toMatch(/^[ -~\n]*$/);
      }),
      { numRuns: cases(100) },
    );
    expect(toAscii(renamed(chain(1), (name) => `${name}\u001b\u{1f525}`))).toContain("\\u{1b}\\u{1f525}");
  });
});
