import { readFileSync } from "node:fs";
import {
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  type Hephaestus,
  memoryStorage,
  NonRetryableError,
  type RunStatus,
  type,
  waitForEvent,
} from "@hephaestus/core";
import { describe, expect, it } from "vitest";

/* Each cell of the page's table that a caller can ask for, asked of an engine. */
const page = readFileSync(new URL("commands.md", import.meta.url), "utf8");
const [head = [], ...table] = [...page.matchAll(/^\| (.*) \|$/gm)]
  .map(([, row = ""]) => row.split(" | ").map((cell) => cell.trim()))
  .filter(([first]) => !first?.startsWith("-"));

/** An instance in a status: `hold` waits wherever a step may, `work` runs or is undone wherever it may. */
async function inStatus(status: string) {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const work = defineStep({
    name: "work",
    run: () => {
      if (status === "failed") throw new NonRetryableError("no");
      return status === "running" || status === "paused" ? gate : undefined;
    },
    compensate: () => (status === "compensating" ? gate : undefined),
  });
  const hold = waitForEvent({ name: "hold", events: { go: type<unknown>() }, timeout: { days: 1 } });
  const flow = defineWorkflow({
    name: "flow",
    input: type<unknown>(),
    unique: { key: "n" },
    start: [work, hold],
    transitions: ({ on }) => [on(work, { done }), on(hold, { go: done, timeout: done })],
  });
  const engine = createHephaestus({ workflows: [flow] });
  const { id } = await engine.for(flow).start("1", {});
  const reached = (wanted: string) =>
    new Promise<void>((resolve) => {
      const stop = engine.subscribe(id, (change) => {
        if (change.status === wanted) resolve(stop());
      });
    });
  if (status === "paused") await engine.pause(id);
  if (status === "completed") await engine.resume(id, "go");
  if (status === "compensating" || status === "cancelled") {
    await reached("waiting");
    await engine.cancel(id);
  }
  await reached(status);
  const close = () => {
    open();
    return engine.close();
  };
  return { engine, id, close };
}

const commands: { readonly [row: string]: (engine: Hephaestus, id: string) => Promise<unknown> } = {
  resume: (engine, id) => engine.resume(id, "go"),
  scheduleResume: (engine, id) => engine.scheduleResume(id, "hold", { hours: 1 }),
  pause: (engine, id) => engine.pause(id),
  unpause: (engine, id) => engine.unpause(id),
  cancel: (engine, id) => engine.cancel(id),
  retry: (engine, id) => engine.retry(id),
  restart: async (engine, id) => (await engine.restart(id)).run,
  "start of its key": async (engine) => (await engine.start("flow", {}, { key: "1" })).run,
  delete: (engine, id) => engine.delete(id),
  adopt: (engine, id) => engine.adopt(id),
};

async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    (answer) => answer,
    (error: { code?: unknown }) => error.code ?? error,
  );
}

describe("commands by status, as the page has them", () => {
  const rows = table.map(([name = "", ...cells]) => ({ name: name.replaceAll("`", ""), cells }));

  it("has a row for each command", () => {
    expect(rows.map(({ name }) => name).filter((name) => !/^a /.test(name))).toEqual(Object.keys(commands));
  });

  for (const [column, statuses] of head.slice(1).entries()) {
    for (const status of statuses.split(", ")) {
      // Nobody meets an instance that is pending: its start leaves it running or waiting.
      if (status === "pending") continue;
      it.each(rows.filter(({ name }) => commands[name]))(`${status}: $name`, async ({ name, cells }) => {
        const { engine, id, close } = await inStatus(status);
        const answer = await codeOf(commands[name]?.(engine, id) as Promise<unknown>);
        const cell = cells[column] as string;
        if (cell === "refused") expect(answer).toBe("STATUS_REFUSES");
        else if (cell.includes("ALREADY_RUNNING")) expect(answer).toBe("ALREADY_RUNNING");
        else if (cell === "the next run") expect(answer).toBe(2);
        else if (name === "resume") expect(cell).toContain(answer);
        else expect(answer).toBeUndefined();
        if (status === "compensating" || cell === "refused") {
          expect((await engine.get(id)).status).toBe(status as RunStatus);
        }
        await close();
      });
    }
  }

  it("parked: what needs no code is recorded, the rest refused, and reading works", async () => {
    const hold = waitForEvent({ name: "hold", events: { go: type<unknown>() } });
    const more = defineStep({ name: "more", run: () => 1 });
    const options = { name: "flow", input: type<unknown>(), unique: { key: "n" }, start: hold } as const;
    const before = defineWorkflow({ ...options, transitions: ({ on }) => [on(hold, { go: done })] });
    const after = defineWorkflow({
      ...options,
      transitions: ({ on }) => [on(hold, { go: more }), on(more, { done })],
    });
    const storage = memoryStorage();
    const old = createHephaestus({ workflows: [before], storage });
    const { id } = await old.for(before).start("1", {});
    await old.close();
    const engine = createHephaestus({ workflows: [after], storage });
    const answers = {
      resume: "queued",
      scheduleResume: "PARKED",
      pause: undefined,
      unpause: undefined,
      retry: "PARKED",
      restart: "STATUS_REFUSES",
      "start of its key": "ALREADY_RUNNING",
    };
    for (const [name, answer] of Object.entries(answers)) {
      expect([name, await codeOf(commands[name]?.(engine, id) as Promise<unknown>)]).toEqual([name, answer]);
    }
    expect(await engine.get(id)).toMatchObject({ parked: true, status: "waiting" });
    await engine.adopt(id);
    // The event that came meanwhile.
    await engine.result(id);
    await engine.close();
  });
});
