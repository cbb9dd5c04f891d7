import { createHephaestus } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { listSchedule } from "./list-schedule.ts";
import { readRecordings, smallGraph, workflowOf } from "./recordings.ts";

const task = (...parents: number[]) => ({ parents });

describe("the schedule without overhead", () => {
  it("is the sum with one place, and the longest path with enough", () => {
    const diamond = [task(), task(0), task(0), task(1, 2)];
    const took = [1, 2, 5, 1];
    expect(listSchedule(diamond, took, 1)).toBe(9);
    expect(listSchedule(diamond, took, 4)).toBe(7);
  });

  it("takes who was ready first, and of those who are ready together the one of lower rank", () => {
    const free = [task(), task(), task()];
    expect(listSchedule(free, [3, 3, 4], 2)).toBe(7);
    expect(listSchedule(free, [3, 3, 4], 2, [1, 2, 0])).toBe(6);
    // 3 is ready at 1, before 4 is at 2; with one place left at 4 it goes first.
    const waiting = [task(), task(), task(0), task(0), task(1)];
    expect(listSchedule(waiting, [1, 2, 3, 9, 1], 2)).toBe(11);
  });

  it("refuses tasks that wait for one another", () => {
    expect(() => listSchedule([task(1), task(0)], [1, 1], 1)).toThrow("wait for one another");
  });
});

describe("a graph of tasks as a workflow", () => {
  const graphs = [smallGraph(), ...(readRecordings() ?? [])];

  it.each(graphs)("$name runs every task once, and after its parents", async (graph) => {
    const order: number[] = [];
    const engine = createHephaestus({
      workflows: [workflowOf(graph, (one) => order.push(one))],
      local: { concurrency: 8 },
    });
    const { result } = await engine.start("recorded", null);
    await result();
    await engine.close();
    expect(order.toSorted((one, other) => one - other)).toEqual(graph.tasks.map((_, one) => one));
    const at = new Map(order.map((one, position) => [one, position]));
    const early = graph.tasks.flatMap(({ parents }, one) =>
      parents.filter((parent) => (at.get(parent) ?? 0) > (at.get(one) ?? 0)),
    );
    expect(early).toEqual([]);
  });

  // The recordings have a licence of their own and stand beside the project, not in it.
  it.skipIf(readRecordings() === undefined)("reads the recordings of ../shared/wfinstances, where they are", () => {
    expect(readRecordings()?.length).toBeGreaterThan(0);
  });
});
