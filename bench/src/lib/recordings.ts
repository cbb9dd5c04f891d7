import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type AnyStep, defineStep, defineWorkflow, done, type } from "@hephaestus/core";

/** A task of a graph: what it waits for, by index, and how long it runs. */
export interface Task {
  readonly parents: readonly number[];
  readonly seconds: number;
}

export interface TaskGraph {
  readonly name: string;
  readonly tasks: readonly Task[];
}

/** Beside the project, not in it: they have a licence of their own. */
const FOLDER = new URL("../../../../shared/wfinstances/", import.meta.url);

/** The part of WfFormat 1.5 that is read. */
interface WfInstance {
  readonly workflow: {
    readonly specification: { readonly tasks: readonly { readonly id: string; readonly parents: readonly string[] }[] };
    readonly execution: { readonly tasks: readonly { readonly id: string; readonly runtimeInSeconds?: number }[] };
  };
}

/** The recorded executions of scientific workflows in `../shared/wfinstances`; undefined where that folder is absent. */
export function readRecordings(): TaskGraph[] | undefined {
  if (!existsSync(FOLDER)) return undefined;
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
  return files.map((file) => {
    const { specification, execution } = (JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as WfInstance)
      .workflow;
    const indexes = new Map(specification.tasks.map(({ id }, index) => [id, index]));
    const seconds = new Map(execution.tasks.map(({ id, runtimeInSeconds = 0 }) => [id, runtimeInSeconds]));
    const tasks = specification.tasks.map(({ id, parents }) => ({
      parents: parents.map((parent) => indexes.get(parent) as number),
      seconds: seconds.get(id) ?? 0,
    }));
    return { name: file.replace(/\.json$/, ""), tasks };
  });
}

/** A graph of our own: four stages of 20, each task of a stage after three of the stage before, one task at the end. */
export function smallGraph(): TaskGraph {
  const width = 20;
  const stages = Array.from({ length: 4 * width }, (_, index) => {
    const above = Math.floor(index / width - 1) * width;
    const parents = above < 0 ? [] : [0, 1, 7].map((offset) => above + ((index + offset) % width));
    return { parents, seconds: 1 + ((index * 7) % 10) };
  });
  const last = { parents: Array.from({ length: width }, (_, index) => 3 * width + index), seconds: 5 };
  return { name: "four stages of 20", tasks: [...stages, last] };
}

/** A workflow with a step for each task. */
export function workflowOf({ tasks }: TaskGraph, run: (task: number) => unknown) {
  const steps = tasks.map(
    (_, task): AnyStep => defineStep({ name: `task_${task}`, run: async () => void (await run(task)) }),
  );
  const children = tasks.map((): AnyStep[] => []);
  tasks.forEach(({ parents }, task) => {
    for (const parent of parents) children[parent]?.push(steps[task] as AnyStep);
  });
  return defineWorkflow({
    name: "recorded",
    input: type<unknown>(),
    start: steps.filter((_, task) => tasks[task]?.parents.length === 0),
    transitions: ({ on }) =>
      steps.map((step, task) => on(step, { done: children[task]?.length ? (children[task] as AnyStep[]) : done })),
  });
}
