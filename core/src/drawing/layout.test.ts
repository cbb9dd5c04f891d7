import { describe, expect, it } from "vitest";
import { detour, everyKind, fan } from "../../test/graphs.ts";
import { edgesOf, START, stepsInOrder } from "./edges.ts";
import { type Layout, layoutGraph, NODE_HEIGHT } from "./layout.ts";

function overlaps({ nodes }: Layout): string[] {
  return nodes.flatMap((one, position) =>
    nodes
      .slice(position + 1)
      .filter((other) => Math.abs(one.x - other.x) < (one.width + other.width) / 2)
      .filter((other) => Math.abs(one.y - other.y) < NODE_HEIGHT)
      .map((other) => `${one.index} and ${other.index}`),
  );
}

describe.each([
  ["one of everything", everyKind()],
  ["a fan of 12", fan(12)],
  ["a detour", detour()],
])("the drawing of %s", (_name, graph) => {
  const layout = layoutGraph(graph);
  const placed = new Map(layout.nodes.map((node) => [node.index, node]));

  it("shows every step and the end once, none over another, all inside", () => {
    expect(layout.nodes).toHaveLength(graph.nodes.length + 1);
    expect(overlaps(layout)).toEqual([]);
    for (const { x, y, width } of layout.nodes) {
      expect(x - width / 2).toBeGreaterThanOrEqual(0);
      expect(x + width / 2).toBeLessThanOrEqual(layout.width);
      expect(y + NODE_HEIGHT / 2).toBeLessThanOrEqual(layout.height);
    }
  });

  it("leads every edge downwards", () => {
    expect(layout.edges).toHaveLength(edgesOf(graph).length);
    for (const { edge } of layout.edges) {
      expect(placed.get(edge.to)?.y).toBeGreaterThan(placed.get(edge.from)?.y ?? Number.POSITIVE_INFINITY);
    }
  });
});

it("shows the start where it is asked for, with an edge to each step that a run begins with", () => {
  const graph = everyKind();
  const layout = layoutGraph(graph, { start: true });
  expect(layout.nodes).toHaveLength(graph.nodes.length + 2);
  const [start, ...others] = layout.nodes.toSorted((one, other) => one.y - other.y);
  expect(start?.index).toBe(START);
  expect(others.every(({ y }) => y > (start?.y ?? 0))).toBe(true);
  expect(layout.edges.filter(({ edge }) => edge.from === START).map(({ edge }) => edge.to)).toEqual(graph.starts);
});

it("leaves room for what is noted beneath a name", () => {
  const [plain, noted] = ["", "waits for an event, at most 2 days"].map((note) =>
    layoutGraph(detour(), { note: () => note }),
  );
  expect(noted?.nodes[0]?.width).toBeGreaterThan(plain?.nodes[0]?.width ?? 0);
});

it("lists the steps from the starts downwards", () => {
  expect(stepsInOrder(detour()).map(({ name }) => name)).toEqual(["ask", "far_1", "far_2", "far_3", "end"]);
});

it("leads an edge that passes layers around the steps that stand in them", () => {
  const graph = detour();
  const layout = layoutGraph(graph);
  const long = layout.edges.find(({ edge }) => edge.events.includes("yes"));
  const far = layout.nodes.find(({ index }) => graph.nodes[index]?.name === "far_2");
  expect(Math.abs((long?.labelX ?? 0) - (far?.x ?? 0))).toBeGreaterThan((far?.width ?? 0) / 2);
});
