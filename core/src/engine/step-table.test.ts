import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { type AnyStep, defineStep, done } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { StepTable } from "./step-table.ts";

function graphOf(...names: string[]) {
  const steps: AnyStep[] = names.map((name) => defineStep({ name, run: () => {} }));
  const { graph } = defineWorkflow({
    name: "flow",
    input: type<unknown>(),
    start: steps.slice(0, 1),
    transitions: ({ on }) => steps.map((step, index) => on(step, { done: steps[index + 1] ?? done })),
  });
  return graph;
}

const COMPLETED = { status: "completed" } as const;
const ACTIVE = { status: "active" } as const;

describe("the states of steps", () => {
  it("are found by index and by name, in the order of the graph", () => {
    const table = new StepTable(graphOf("a", "b"));
    table.put(1, ACTIVE);
    table.put(0, COMPLETED);
    expect([table.at(1), table.get("a"), table.get("c"), table.indexOf("c")]).toEqual([
      ACTIVE,
      COMPLETED,
      undefined,
      -1,
    ]);
    expect([...table]).toEqual([
      ["a", COMPLETED],
      ["b", ACTIVE],
    ]);
  });

  it("have places without a graph, in the order in which they came", () => {
    const table = new StepTable();
    for (const name of ["b", "a", "b"]) table.put(table.placeOf(name), name === "b" ? ACTIVE : COMPLETED);
    expect([...table]).toEqual([
      ["b", ACTIVE],
      ["a", COMPLETED],
    ]);
  });

  it("get other places under another graph, and those that it does not have keep theirs behind it", () => {
    const table = new StepTable(graphOf("a", "b"));
    table.put(0, COMPLETED);
    table.put(1, ACTIVE);
    table.follow(graphOf("new", "b"));
    expect([table.at(0), table.at(1), table.at(2), table.nameOf(2)]).toEqual([undefined, ACTIVE, COMPLETED, "a"]);
    table.follow(graphOf("b", "a"));
    expect([table.at(0), table.at(1), table.at(2)]).toEqual([ACTIVE, COMPLETED, undefined]);
  });

  it("are forgotten with the names that only they had", () => {
    const table = new StepTable();
    table.put(table.placeOf("a"), ACTIVE);
    table.clear();
    expect([[...table], table.indexOf("a"), table.placeOf("b")]).toEqual([[], -1, 0]);
  });
});
