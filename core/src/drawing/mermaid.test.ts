import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detour, everyKind, graphs, renamed } from "../../test/graphs.ts";
import { cases } from "../../test/lane.ts";
import { edgesOf } from "./edges.ts";
import { toMermaid } from "./mermaid.ts";

/** The only lines that a chart has; a label holds no quote, no backtick and no percent sign. */
const LABEL = String.raw`"(?:[\p{L}\p{N} _,:()-]|#\d+;|<br/>)*"`;
const LINES = [
  String.raw`start\(\[start\]\)`,
  String.raw`finish\(\[done\]\)`,
  String.raw`s\d+(?:\[${LABEL}\]|\{\{${LABEL}\}\})`,
  String.raw`\w+ (?:-->|-\.->)(?:\|${LABEL}\|)? \w+`,
];
const CHART = new RegExp(`^flowchart TD\n(?:  (?:${LINES.join("|")})\n)+$`, "u");

describe("a drawing in Mermaid", () => {
  it("shows joins, choices, waits, failure routes, the start and the end", () => {
    expect(toMermaid(everyKind())).toMatchInlineSnapshot(`
      "flowchart TD
        start([start])
        s0["first"]
        s1["tell"]
        s2["second<br/>skipped when it fails"]
        s3["check<br/>any of 2"]
        s4{{"answer<br/>waits for an event, at most 2 days 1 hour"}}
        s5{{"endless<br/>waits for an event"}}
        s6{{"pause<br/>waits 5 minutes"}}
        s7["enough<br/>at least 2 of 3, cancels the rest"]
        finish([done])
        start --> s0
        start --> s2
        s0 --> s3
        s0 -.->|"failed"| s1
        s1 --> finish
        s2 --> s3
        s3 -->|"good"| s4
        s3 -->|"good"| s5
        s3 -->|"good"| s6
        s3 -->|"bad (choose)"| s1
        s3 -->|"bad (choose), failed"| finish
        s4 -->|"yes, timeout"| s7
        s5 -->|"yes"| s7
        s6 --> s7
        s7 -->|"(choose)"| s1
        s7 -->|"(choose)"| finish
      "
    `);
  });

  it("shows every step of any graph once, and every edge", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const chart = toMermaid(graph);
        expect(chart).toMatch(CHART);
        for (const { index, name } of graph.nodes) {
          const own = new RegExp(`^  s${index}(?:\\[|\\{\\{)"${name}["<]`, "gm");
          expect([...chart.matchAll(own)]).toHaveLength(1);
        }
        const arrows = [...chart.matchAll(/^ {2}(\w+) -.+ (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`);
        const edges = edgesOf(graph).map(({ from, to }) => `s${from} ${to < 0 ? "finish" : `s${to}`}`);
        expect(arrows.sort()).toEqual([...graph.starts.map((to) => `start s${to}`), ...edges].sort());
      }),
      { numRuns: cases(50) },
    );
  }, 60_000);

  it("holds no syntax but its own, whatever the names are", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff), { maxLength: 8 }), (noise) => {
        const hostile = `"] end; %%{init: {}}%% \`\`\` #quot; <b>\n${String.fromCodePoint(...noise)}`;
        expect(toMermaid(renamed(detour(), (name) => name + hostile))).toMatch(CHART);
      }),
      { numRuns: cases(100) },
    );
  });
});
