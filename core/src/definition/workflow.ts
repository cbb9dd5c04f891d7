import { compile } from "./compile.ts";
import type { Graph } from "./graph.ts";
import type { Schema } from "./schema.ts";
import type { AnyStep, EventOf, ResultsOf, Step } from "./step.ts";
import type {
  Carried,
  Choice,
  ChoiceContext,
  Edges,
  Unique,
  WorkflowDefinition,
  WorkflowOptions,
} from "./transitions.ts";

// biome-ignore lint/suspicious/noExplicitAny: a target's events do not matter to the edge that leads to it
type TargetStep<Input> = Step<string, Input, any, any>;
type Target<Input> = TargetStep<Input> | readonly TargetStep<Input>[] | Choice<Input>;

/** What `transitions` is given. */
export interface Definer<Input> {
  /** Says where each of a step's events leads: exactly its events are the keys. */
  on<S extends AnyStep>(step: S & TargetStep<Input>, edges: { readonly [E in EventOf<S>]: Target<Input> }): Edges<S>;
  /** Lets code choose one or several of the targets, once, when the event has come. */
  choose<const T extends readonly TargetStep<Input>[]>(
    targets: T,
    pick: (context: ChoiceContext<Input>) => T[number] | readonly T[number][],
  ): Choice<Input>;
}

/**
 * A workflow that was checked and compiled. Its type keeps the edges as the tuple that they were written as: what its
 * steps take from outside is looked up there when it is bound to an engine, and costs nothing before.
 */
export interface Workflow<
  Name extends string,
  Input,
  Output,
  Keyed extends Unique | undefined = Unique | undefined,
  Transitions extends readonly Edges[] = readonly Edges[],
> extends Carried<Input, Output, Keyed, Transitions> {
  readonly name: Name;
  readonly version: number;
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
}

// biome-ignore lint/suspicious/noExplicitAny: where the types of all workflows meet
export type AnyWorkflow = Workflow<string, any, any, any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type WorkflowInput<W> = W extends Workflow<string, infer I, any, any, any> ? I : never;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type WorkflowOutput<W> = W extends Workflow<string, any, infer O, any, any> ? O : never;

/**
 * Makes a workflow, checked as a whole.
 * @throws DefinitionError that lists every problem
 * @example
 * defineWorkflow({ name: "hello", input: type<{ name: string }>(), start: greet, transitions: ({ on }) => [on(greet, { done })] });
 */
export function defineWorkflow<
  const Name extends string,
  Input,
  const Out extends readonly AnyStep[] = [],
  const Keyed extends Unique | undefined = undefined,
  const Transitions extends readonly Edges[] = readonly Edges[],
>(
  definition: Omit<WorkflowOptions, "unique"> & {
    readonly name: Name;
    readonly unique?: Keyed;
    readonly input: Schema<Input>;
    readonly start: TargetStep<NoInfer<Input>> | readonly TargetStep<NoInfer<Input>>[];
    readonly transitions: (define: Definer<NoInfer<Input>>) => Transitions;
    readonly output?: Out;
  },
): Workflow<Name, Input, Partial<ResultsOf<Out>>, Keyed, Transitions> {
  const { transitions, output = [], start, unique, ...options } = definition;
  const complete: WorkflowDefinition = {
    ...options,
    ...(unique ? { unique } : {}),
    start: [start].flat() as AnyStep[],
    edges: transitions({ on, choose } as Definer<Input>),
    output,
  };
  const graph = compile(complete);
  return Object.freeze({ name: definition.name, version: graph.version, definition: complete, graph });
}

function on(step: AnyStep, edges: Edges["edges"]): Edges {
  return { step, edges };
}

function choose<Input>(targets: readonly AnyStep[], pick: Choice<Input>["pick"]): Choice<Input> {
  return { targets, pick };
}
