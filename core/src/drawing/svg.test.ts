import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detour, everyKind, graphs, renamed } from "../../test/graphs.ts";
import { cases } from "../../test/lane.ts";
import { edgesOf } from "./edges.ts";
import { toSvg } from "./svg.ts";

const count = (text: string, part: RegExp) => [...text.matchAll(part)].length;

describe("a drawing in SVG", () => {
  it("shows every step of any graph once, and every edge", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const svg = toSvg(graph);
        for (const { name } of graph.nodes) expect(count(svg, new RegExp(`>${name}</text>`, "g"))).toBe(1);
        expect(count(svg, /<path class="edge/g)).toBe(edgesOf(graph).length + graph.starts.length);
      }),
      { numRuns: cases(50) },
    );
  }, 60_000);

  it("writes joins, waits, choices and failure routes, and marks the start and the end", () => {
    const svg = toSvg(everyKind());
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
    for (const text of ["start", "done", "any of 2", "at least 2 of 3, cancels the rest", "skipped when it fails"]) {
      expect(texts).toContain(text);
    }
    for (const text of ["waits 5 minutes", "waits for an event, at most 2 days 1 hour"]) expect(texts).toContain(text);
    for (const text of ["failed", "bad (choose)", "(choose)", "yes, timeout"]) expect(texts).toContain(text);
    expect(count(svg, /class="edge edge-failure"/g)).toBe(1);
  });

  it("holds no markup but its own, whatever the names are", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff), { maxLength: 8 }), (noise) => {
        const hostile = `</text><script>alert("1")</script>&${String.fromCodePoint(...noise)}]]><!--\u0000`;
        const svg = toSvg(renamed(detour(), (name) => name + hostile));
        expect(new Set([...svg.matchAll(/<([!/\w]+)/g)].map(([, tag]) => tag?.replace("/", "")))).toEqual(
          new Set(["svg", "title", "style", "defs", "marker", "path", "rect", "g", "text"]),
        );
        expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
        expect(svg).not.toMatch(/[\p{Cs}\ufffe\uffff]|(?!\n)\p{Cc}/u);
      }),
      { numRuns: cases(100) },
    );
  });
});
