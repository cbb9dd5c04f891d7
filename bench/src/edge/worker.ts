import { migrate } from "@hephaestus/d1";
import type { StepMessage } from "@hephaestus/durable-objects";
import type { Contender, Env, Shape } from "./contender.ts";
import { floor } from "./floor.ts";
import { edge, indexedEdge, ours } from "./ours.ts";
import { rung } from "./signals.ts";
import { theirs } from "./theirs.ts";

export { FloorObject } from "./floor.ts";
export { Chain, EventFlow, FanOut, Slow, ThreeSteps } from "./theirs.ts";

export class WorkflowInstance extends edge.Instance {}
export class IndexedInstance extends indexedEdge.Instance {}

/** What a request asks for. */
interface RunRequest {
  readonly contender: "ours" | "indexed" | "theirs" | "floor";
  readonly shape: Shape;
  readonly ids: readonly string[];
  readonly concurrency: number;
  /**
   * run: to the end. start: not waited for. prepare: until they wait for their event. send: the event, and to the end.
   * touch: asked for.
   */
  readonly do: "run" | "start" | "prepare" | "send" | "touch";
}

async function perform(request: RunRequest, env: Env): Promise<void> {
  const contender = contenders(env)[request.contender];
  const left = [...request.ids];
  async function worker(): Promise<void> {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await performOne(request, contender, id);
  }
  // The runtime gives up on a request that waits for nothing of its own.
  const alive = setInterval(() => {}, 100);
  await Promise.all(Array.from({ length: request.concurrency }, worker));
  clearInterval(alive);
}

async function performOne(request: RunRequest, contender: Contender, id: string): Promise<void> {
  const { shape } = request;
  if (request.do === "start" || request.contender === "floor") {
    await contender.start(shape, id);
    return;
  }
  if (request.do === "touch") {
    await contender.touch?.(id);
    return;
  }
  const ended = rung(request.do === "prepare" ? `${id} waits` : id);
  await (request.do === "send" ? contender.send?.(id) : contender.start(shape, id));
  await ended;
}

const contenders = (env: Env): Record<RunRequest["contender"], Contender> => ({
  ours: ours(edge, env),
  indexed: ours(indexedEdge, env),
  theirs: theirs(env),
  floor: floor(env),
});

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/run") await perform(await request.json<RunRequest>(), env);
    if (pathname === "/migrate") await migrate(env.DB);
    return new Response("ok");
  },
  queue: edge.queue,
} satisfies ExportedHandler<Env, StepMessage>;
