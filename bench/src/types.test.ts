import type { AnyWorkflow } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { emptyModule, workflowModule } from "./lib/large-workflow.ts";
import { typeCheck } from "./lib/type-check.ts";

/** For a module with a workflow of 200 steps and all that it imports. */
const INSTANTIATIONS_MAX = 100_000;

describe("the types of a workflow", { timeout: 120_000 }, () => {
  it("cost the compiler less than the budget at 200 steps, and no more for each step at 200 than at 100", async () => {
    const empty = typeCheck("test-empty", emptyModule).instantiations;
    const half = typeCheck("test-100", workflowModule(100)).instantiations;
    const { path, instantiations } = typeCheck("test-200", workflowModule(200));
    expect(instantiations).toBeLessThan(INSTANTIATIONS_MAX);
    expect(instantiations - half).toBeLessThan((half - empty) * 1.05);

    // It is a workflow, not only a text that checks.
    const { flow } = (await import(path)) as { flow: AnyWorkflow };
    expect(flow.graph.nodes).toHaveLength(200);
  });

  it("are checked at all: a wrong event in one of 200 steps is an error", () => {
    const wrong = workflowModule(200).replace("{ paid39: join39 }", "{ paid38: join39 }");
    expect(() => typeCheck("test-wrong", wrong)).toThrow("paid39");
  });

  it.each([
    [
      "an unknown event",
      '"payd0", { by: "Ann" }',
      `Argument of type '"payd0"' is not assignable to parameter of type '"paid`,
    ],
    ["a wrong payload", '"paid0", { by: 7 }', "Type 'number' is not assignable to type 'string'"],
    ["a missing payload", '"paid0"', "Expected 3-4 arguments, but got 2"],
    [
      "an unknown step",
      '"paid0", { by: "Ann" }, { step: "wait1" }',
      `Type '"wait1"' is not assignable to type '"wait0"`,
    ],
  ])("say in one line what is wrong with %s that is sent to one of 200 steps", (_what, sent, said) => {
    const wrong = workflowModule(200).replace('"paid0", { by: "Ann" }', sent);
    expect(() => typeCheck("test-wrong", wrong)).toThrow(said);
  });
});
