import { expect, it } from "vitest";
import {
  createHephaestus,
  DefinitionError,
  defineStep,
  defineVersions,
  defineWorkflow,
  done,
  memoryStorage,
  type,
  waitForEvent,
} from "../index.ts";

const step = (name: string) => defineStep({ name, run: () => name });
const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
function versionOf(version: number, unique = { key: "n" }, name = "flow") {
  const last = step(`v${version}`);
  return defineWorkflow({
    name,
    version,
    input: type<{ canary?: boolean }>(),
    unique,
    start: hold,
    transitions: ({ on }) => [on(hold, { go: last }), on(last, { done })],
    output: [last],
  });
}
const [v1, v2] = [versionOf(1), versionOf(2)];

it("a start gets the version that it names, then what versionFor says, then the current one", async () => {
  const flow = defineVersions({
    name: "flow",
    versions: { 1: v1, 2: v2 },
    current: 1,
    versionFor: ({ input }) => (input.canary ? 2 : undefined),
  });
  const engine = createHephaestus({ workflows: [flow] });
  const flows = engine.for(flow);
  await flows.start("plain", {});
  await flows.start("canary", { canary: true });
  await flows.start("named", { canary: true }, { version: 1 });
  expect((await flows.get("plain")).version).toBe(1);
  expect((await flows.get("canary")).version).toBe(2);
  expect((await flows.get("named")).version).toBe(1);
  await expect(flows.start("other", {}, { version: 7 })).rejects.toMatchObject({ code: "UNKNOWN_WORKFLOW" });
  // By name, as HTTP starts it.
  const started = await engine.start("flow", { canary: true }, { key: "byname" });
  expect((await started.get()).version).toBe(2);
  await engine.close();
});

it("an instance stays on its version while new ones get another", async () => {
  const storage = memoryStorage();
  const before = defineVersions({ name: "flow", versions: { 1: v1 }, current: 1 });
  const old = createHephaestus({ workflows: [before], storage });
  await old.for(before).start("a", {});
  await old.close();
  const after = defineVersions({ name: "flow", versions: { 1: v1, 2: v2 }, current: 2 });
  const engine = createHephaestus({ workflows: [after], storage });
  const flows = engine.for(after);
  await flows.start("b", {});
  await Promise.all([flows.resume("a", "go"), flows.resume("b", "go")]);
  expect(await flows.result("a")).toEqual({ v1: "v1" });
  expect(await flows.result("b")).toEqual({ v2: "v2" });
  await engine.close();
});

it("says all that is wrong with a set of versions", () => {
  const wrong = () =>
    defineVersions({
      name: "flow",
      versions: { 1: v1, 3: v2, 4: versionOf(4, { key: "m" }), 5: versionOf(5, { key: "n" }, "x") },
      current: 9,
    });
  expect(wrong).toThrow(DefinitionError);
  try {
    wrong();
  } catch (error) {
    expect((error as DefinitionError).problems.map(({ code, names }) => [code, names[0]])).toEqual([
      ["VERSION_INVALID", "3"],
      ["VERSION_KEY_DIFFERS", "4"],
      ["VERSION_NAME_DIFFERS", "5"],
      ["VERSION_INVALID", "current"],
    ]);
  }
});
