import { defineStep, defineWorkflow, done, type, waitForEvent } from "@hephaestus/core";

export interface Desk {
  /** The name of this tab. */
  readonly tab: string;
  /** Remembers that a step began, where every tab sees it and no crash can lose it. */
  begin(step: string, key: string | undefined): void;
  /** Settles when the work of this key may end in this tab. */
  release(key: string): Promise<void>;
}

declare module "@hephaestus/core" {
  interface Connectors {
    readonly desk: Desk;
  }
}

const work = defineStep({
  name: "work",
  run: async ({ instance, connectors: { desk } }) => {
    desk.begin("work", instance.key);
    await desk.release(instance.key ?? "");
    return { by: desk.tab };
  },
});

const after = defineStep({
  name: "after",
  needs: [work],
  run: ({ instance, results, connectors: { desk } }) => {
    desk.begin("after", instance.key);
    return { workBy: results.work.by };
  },
});

/** Two steps; the first ends when the tab says so. */
export const job = defineWorkflow({
  name: "job",
  input: type<unknown>(),
  unique: { key: "key" },
  start: work,
  transitions: ({ on }) => [on(work, { done: after }), on(after, { done })],
  output: [after],
});

const answer = waitForEvent({ name: "answer", events: { given: type<{ text: string }>() }, timeout: { days: 30 } });
const remind = defineStep({ name: "remind", run: ({ connectors: { desk } }) => ({ by: desk.tab }) });

/** Waits for an answer; after 30 days, longer than a timer of the browser can be, somebody is reminded. */
export const question = defineWorkflow({
  name: "question",
  input: type<unknown>(),
  unique: { key: "key" },
  start: answer,
  transitions: ({ on }) => [on(answer, { given: done, timeout: remind }), on(remind, { done })],
  output: [remind],
});

/** Works beside a wait of 30 days: an instance that is kept in memory with a long timer. */
export const jobAndQuestion = defineWorkflow({
  name: "job_and_question",
  input: type<unknown>(),
  unique: { key: "key" },
  start: [work, answer],
  transitions: ({ on }) => [on(work, { done }), on(answer, { given: done, timeout: remind }), on(remind, { done })],
});
