import type { Edges, WorkflowOptions } from "../src/definition/transitions.ts";
import {
  type AnyStep,
  DefinitionError,
  defineStep,
  defineVersions,
  defineWorkflow,
  done,
  type Problem,
  type ProblemCode,
  type Schema,
  type,
  wait,
  waitForEvent,
} from "../src/index.ts";

export const any = type<unknown>();
/** Definitions that TypeScript would not let through: programs in JavaScript can say anything. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
export const wrong = (value: unknown): any => value;

export const step = (name: string, more: object = {}): AnyStep => defineStep({ name, run: () => {}, ...more });
export const a = step("a");
export const b = step("b");
export const c = step("c");

type Targets = { readonly [event: string]: AnyStep | readonly AnyStep[] };

export function define(start: AnyStep | AnyStep[], edges: [AnyStep, Targets][], options: object = {}): unknown {
  return defineWorkflow({
    name: "flow",
    input: any,
    start,
    transitions: (): Edges[] => edges.map(([one, to]) => ({ step: one, edges: to })),
    ...options,
  });
}

export const single = (one: AnyStep, options: object = {}) => define(one, [[one, { done: done }]], options);
export const withOptions = (options: WorkflowOptions | object) => single(a, options);

/** What is wrong with what a function defines. */
export function problemsOf(make: () => unknown): readonly Problem[] {
  try {
    make();
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
  return [];
}

/** One definition for each thing that can be wrong, and whom the problem names. A code without one does not compile. */
export const PROBLEM_CASES: Record<ProblemCode, [() => unknown, ...names: string[]]> = {
  NAME_INVALID: [() => single(step("no spaces")), "no spaces"],
  STEP_INVALID: [() => define(a, [[a, { done: wrong(undefined) }]]), "a target of done of a"],
  STEP_DUPLICATE: [
    () =>
      define(a, [
        [a, { done: b }],
        [b, { done: step("a") }],
      ]),
    "a",
  ],
  STEP_UNREACHABLE: [
    () =>
      define(a, [
        [a, { done: done }],
        [b, { done: done }],
      ]),
    "b",
  ],
  STEP_WITHOUT_TRANSITIONS: [() => define(a, [[a, { done: b }]]), "b"],
  TRANSITIONS_DUPLICATE: [
    () =>
      define(a, [
        [a, { done: done }],
        [a, { done: done }],
      ]),
    "a",
  ],
  EVENT_WITHOUT_TRANSITION: [() => define(a, [[a, {}]]), "a", "done"],
  TRANSITION_WITHOUT_EVENT: [() => define(a, [[a, { done: done, oops: done }]]), "a", "oops"],
  EVENT_DUPLICATE: [() => single(step("a", { events: ["done", "done"] })), "a", "done"],
  EVENTS_MISSING: [() => define(step("a", { events: [] }), [[step("a", { events: [] }), {}]]), "a"],
  TARGETS_MISSING: [() => define(a, [[a, { done: [] }]]), "a", "done"],
  TARGET_DUPLICATE: [
    () =>
      define(a, [
        [a, { done: [b, b] }],
        [b, { done: done }],
      ]),
    "a",
    "done",
  ],
  CYCLE: [
    () =>
      define(a, [
        [a, { done: b }],
        [b, { done: [a, done] }],
      ]),
    "a",
    "b",
  ],
  DONE_UNREACHABLE: [
    () =>
      define(a, [
        [a, { done: b }],
        [b, { done: a }],
      ]),
    "a",
  ],
  START_MISSING: [() => define([], [[a, { done: done }]]), "start"],
  NEED_NOT_CERTAIN: [
    () => {
      const x = step("x", { needs: [a] });
      return define(
        [a, x],
        [
          [a, { done: done }],
          [x, { done: done }],
        ],
      );
    },
    "x",
    "a",
  ],
  NEED_UNKNOWN: [() => single(step("x", { needs: [a] })), "x", "a"],
  NEED_EVENT_UNKNOWN: [
    () => define(a, [[a, { done: step("x", { needs: [{ step: a, when: "oops" }] }) }]]),
    "x",
    "a",
    "oops",
  ],
  JOIN_INVALID: [() => single(step("a", { join: { atLeast: 0 } })), "a"],
  JOIN_UNFILLABLE: [() => single(step("a", { join: { atLeast: 2 } })), "a"],
  CANCEL_REST_WITHOUT_JOIN: [() => single(step("a", { cancelRest: true })), "a"],
  OUTPUT_UNKNOWN: [() => withOptions({ output: [b] }), "b"],
  DURATION_INVALID: [() => single(wait({ name: "a", for: { seconds: -1 } })), "a", "for"],
  RETRY_INVALID: [() => single(step("a", { retry: { maxAttempts: 0 } })), "a", "maxAttempts"],
  KEY_INVALID: [() => withOptions({ unique: { key: "order id" } }), "unique"],
  SCOPE_INVALID: [() => withOptions({ unique: { key: "id", scope: "galaxy" } }), "unique"],
  TAG_INVALID: [() => withOptions({ tags: [""] }), ""],
  METADATA_INVALID: [() => withOptions({ metadata: { when: new Date(0) } }), "metadata"],
  VERSION_INVALID: [() => withOptions({ version: 0 }), "0"],
  VERSION_KEY_DIFFERS: [
    () => {
      const one = defineWorkflow({
        name: "flow",
        input: any,
        start: a,
        transitions: ({ on }) => [on(a, { done: done })],
      });
      const two = { ...one, version: 2, definition: { ...one.definition, unique: { key: "id" } } };
      return defineVersions(wrong({ name: "flow", versions: { 1: one, 2: two }, current: 2 }));
    },
    "2",
  ],
  VERSION_NAME_DIFFERS: [
    () => defineVersions(wrong({ name: "other", versions: { 1: withOptions({}) }, current: 1 })),
    "1",
    "flow",
  ],
  SCHEMA_INVALID: [() => withOptions({ input: {} }), "input"],
  SCHEMA_DIFFERS: [
    () => {
      const strict: Schema<string> = { "~standard": { ...any["~standard"], vendor: "strict" } } as Schema<string>;
      const one = waitForEvent({ name: "one", events: { go: any } });
      const two = waitForEvent({ name: "two", events: { go: strict } });
      return define(
        [one, two],
        [
          [one, { go: done }],
          [two, { go: done }],
        ],
      );
    },
    "go",
    "one",
    "two",
  ],
};
