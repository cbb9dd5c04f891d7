import { defineStep, defineWorkflow, done, type StepContext, type } from "@hephaestus/core";
import { hephaestusEdge } from "@hephaestus/durable-objects";

interface Env {
  readonly INSTANCES: DurableObjectNamespace;
  /** Where attempts say that they begin and end: the witness outside. */
  readonly WITNESS_URL: string;
}

declare module "@hephaestus/core" {
  interface Connectors {
    readonly tell: (what: string) => Promise<void>;
  }
}

const long = defineStep({
  name: "long",
  execution: "inline",
  run: async ({ input: { seconds }, connectors, attempt }: StepContext<{ seconds: number }>) => {
    await connectors.tell(`begins-${attempt}`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    await connectors.tell(`ends-${attempt}`);
  },
});
const after = defineStep({ name: "after", run: ({ connectors }) => connectors.tell("after") });
const longFlow = defineWorkflow({
  name: "long_flow",
  input: type<{ seconds: number }>(),
  start: long,
  transitions: ({ on }) => [on(long, { done: after }), on(after, { done })],
});

// The times that everyone has: that they suffice is what is to be seen.
const edge = hephaestusEdge<Env>({
  workflows: [longFlow],
  bindings: (env) => ({ objects: env.INSTANCES }),
  connectors: ({ WITNESS_URL }) => ({
    tell: async (what) => {
      await (await fetch(`${WITNESS_URL}/${what}`)).text();
    },
  }),
});

export class WorkflowInstance extends edge.Instance {}

export default {
  async fetch(request, env) {
    const seconds = Number(new URL(request.url).searchParams.get("seconds"));
    if (!(seconds > 0)) return new Response("up");
    const { id } = await edge.engine(env).for(longFlow).start({ seconds });
    return new Response(id);
  },
} satisfies ExportedHandler<Env>;
