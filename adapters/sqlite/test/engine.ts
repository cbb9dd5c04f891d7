// A process that starts instances and drives what it finds: node engine.ts <file> <witness> <first> <last> <step ms>
// Its witness stands outside of the engine: a line when a step starts, and one when its result was acknowledged.
import { openSync, writeSync } from "node:fs";
import {
  createHephaestus,
  defineStep,
  defineWorkflow,
  done,
  type StepContext,
  type Storage,
  type,
  waitForEvent,
} from "@hephaestus/core";
import { sqliteStorage } from "@hephaestus/sqlite/node";

const [fileName = "", witnessName = "", first = "", last = "", stepMs = ""] = process.argv.slice(2);
const witness = openSync(witnessName, "a");
const tell = (...words: readonly unknown[]) => writeSync(witness, `${words.join(" ")}\n`);

const step = (name: string) =>
  defineStep({
    name,
    retry: { maxAttempts: 1 },
    async run({ instance }: StepContext<object>) {
      tell("start", instance.id, name);
      await new Promise((resolve) => setTimeout(resolve, Number(stepMs)));
    },
  });
const [a, b, c, d, e] = [step("a"), step("b"), step("c"), step("d"), step("e")] as const;
const gate = waitForEvent({ name: "gate", events: { go: type<unknown>() } });
const flow = defineWorkflow({
  name: "crash_flow",
  input: type<object>(),
  unique: { key: "n" },
  start: a,
  transitions: ({ on }) => [
    on(a, { done: [b, c] }),
    on(b, { done: d }),
    on(c, { done: d }),
    on(d, { done: gate }),
    on(gate, { go: e }),
    on(e, { done }),
  ],
});

let acknowledged = 0;

function witnessed(storage: Storage): Storage {
  return {
    ...storage,
    async commit(commits) {
      const answers = await storage.commit(commits);
      for (const [index, { id, changes }] of commits.entries()) {
        if (answers[index] !== "ok") continue;
        for (const [name, { status }] of Object.entries(changes.steps ?? {})) {
          if (status !== "completed") continue;
          tell("acknowledged", id, name);
          if (++acknowledged % 100 === 0) process.stdout.write(`acknowledged ${acknowledged}\n`);
        }
      }
      return answers;
    },
  };
}

const startedAt = performance.now();
const hephaestus = createHephaestus({
  workflows: [flow],
  storage: witnessed(sqliteStorage(fileName)),
  local: { sweepMs: 100 },
});
const flows = hephaestus.for(flow);
const keys = Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => String(Number(first) + n));
await Promise.all(
  keys.map(async (key) => {
    // Another process may have been quicker: the same start again finds the same run.
    await flows.start(key, {}, { id: `start-${key}` });
    await flows.resume(key, "go", null, { id: `go-${key}` });
  }),
);
process.stdout.write("started\n");
const open = ["pending", "running", "waiting", "compensating"] as const;
while ((await flows.list({ status: open, limit: 1 })).items.length > 0) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
process.stdout.write(`ended ${Math.round(performance.now() - startedAt)}\n`);
await hephaestus.close();
