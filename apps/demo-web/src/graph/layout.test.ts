import { defineStep, defineWorkflow, done, type, waitForEvent } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import { describe, expect, it } from "vitest";
import { edgesOf, stepsInOrder } from "./edges.ts";
import { type Layout, layoutGraph, NODE_HEIGHT } from "./layout.ts";

const step = (name: string) => defineStep({ name, input: type<object>(), run: () => null });

/** One step that leads to many, which all lead to one. */
function fan(width: number) {
  const first = step("first");
  const last = step("last");
  const middle = Array.from({ length: width }, (_, n) => step(`middle_${n}`));
  return defineWorkflow({
    name: "fan",
    input: type<object>(),
    start: first,
    transitions: ({ on }) => [
      on(first, { done: middle }),
      ...middle.map((one) => on(one, { done: last })),
      on(last, { done }),
    ],
  }).graph;
}

/** A step that can be answered at once, or after a long detour. */
function detour() {
  const ask = waitForEvent({ name: "ask", events: { yes: type<null>(), no: type<null>() } });
  const far = [step("far_1"), step("far_2"), step("far_3")] as const;
  const end = step("end");
  return defineWorkflow({
    name: "detour",
    input: type<object>(),
    start: ask,
    transitions: ({ on }) => [
      on(ask, { yes: end, no: far[0] }),
      on(far[0], { done: far[1] }),
      on(far[1], { done: far[2] }),
      on(far[2], { done: end }),
      on(end, { done }),
    ],
  }).graph;
}

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
  ["the example", pullRequestFlow.graph],
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
