import { expect, it } from "vitest";
import { keyed, stage } from "../../test/stage.ts";
import { type Commit, createHephaestus, done, memoryStorage, type, waitForEvent } from "../index.ts";

it("a caller may ask that the disk has its commit; others are left to the storage", async () => {
  const { plain } = stage();
  const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
  const after = plain("after");
  const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: after }), on(after, { done })] });
  const memory = memoryStorage();
  const commits: Commit[] = [];
  const storage = {
    ...memory,
    commit: (group: readonly Commit[]) => {
      commits.push(...group);
      return memory.commit(group);
    },
  };
  const flows = createHephaestus({ workflows: [flow], storage }).for(flow);
  const asked = async (work: () => Promise<unknown>) => {
    commits.length = 0;
    await work();
    return commits[0]?.durability;
  };
  expect(await asked(() => flows.start("1", {}, { durability: "strict" }))).toBe("strict");
  expect(await asked(() => flows.start("2", {}))).toBeUndefined();
  expect(await asked(() => flows.pause("1", { durability: "strict" }))).toBe("strict");
  expect(await asked(() => flows.unpause("1"))).toBeUndefined();
  expect(await asked(() => flows.resume("1", "go", undefined, { durability: "strict" }))).toBe("strict");
  await flows.result("1");
  // What follows from it is the driver's own.
  expect(commits.slice(1).map((commit) => commit.durability)).not.toContain("strict");
});

it("refuses any other durability", async () => {
  const { plain } = stage();
  const only = plain("only");
  const flow = keyed("flow", { start: only, on: ({ on }) => [on(only, { done })] });
  const flows = createHephaestus({ workflows: [flow] }).for(flow);
  await expect(flows.start("1", {}, { durability: "relaxed" as never })).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { field: "durability" },
  });
});
