import { describe, expect, it } from "vitest";
import { type } from "./schema.ts";
import { type AnyStep, defineStep, done, emit, type StepOptions, wait, waitForEvent } from "./step.ts";
import type { Edges } from "./transitions.ts";
import { defineWorkflow } from "./workflow.ts";

const any = type<unknown>();
const step = (name: string, more: StepOptions | object = {}): AnyStep => defineStep({ name, run: () => {}, ...more });
const branch = (name: string, ...events: string[]): AnyStep =>
  defineStep({ name, events, run: () => emit(events[0] as string) });
type Line = [AnyStep, Edges["edges"]];

function graph(start: AnyStep | AnyStep[], edges: Line[], options: object = {}) {
  return defineWorkflow({
    name: "flow",
    input: any,
    start,
    transitions: () => edges.map(([one, to]) => ({ step: one, edges: to })),
    ...options,
  }).graph;
}

const [a, b, c] = [step("a"), step("b"), step("c")];
const choice = branch("choice", "x", "y");
const lines = (): Line[] => [
  [choice, { x: [a, b], y: c }],
  [a, { done: c }],
  [b, { done: c }],
  [c, { done: done }],
];
const plain = graph(choice, lines());

describe("a fingerprint", () => {
  it("is short, and the same for the same graph, in whatever order it is written", () => {
    expect(plain.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    const turned: Line[] = lines().reverse();
    turned[3] = [choice, { y: c, x: [b, a] }];
    expect(graph(choice, turned).fingerprint).toBe(plain.fingerprint);
  });

  it("does not change with the code, the times, the retry policies, or the names of tags and keys", () => {
    const other = step("a", { run: () => 7, retry: { maxAttempts: 9 }, timeout: { seconds: 1 }, compensate: () => {} });
    const edges = lines().map(([one, to]): Line => [one === a ? other : one, to]);
    edges[0] = [choice, { x: [other, b], y: c }];
    expect(graph(choice, edges, { tags: ["t"], version: 2, retry: { maxAttempts: 2 } }).fingerprint).toBe(
      plain.fingerprint,
    );
    const waits = (seconds: number) => {
      const one = wait({ name: "w", for: { seconds } });
      return graph(one, [[one, { done: done }]]).fingerprint;
    };
    expect(waits(1)).toBe(waits(2));
  });

  it.each<[string, () => ReturnType<typeof graph>]>([
    ["an edge that leads elsewhere", () => graph(choice, [[choice, { x: [a, b], y: a }], ...lines().slice(1)])],
    ["an edge less", () => graph(choice, [[choice, { x: [a, b], y: done }], ...lines().slice(1)])],
    ["another start", () => graph([choice, c], lines())],
    [
      "targets to choose among",
      () => graph(choice, [[choice, { x: { targets: [a, b], pick: () => a }, y: c }], ...lines().slice(1)]),
    ],
  ])("differs for %s", (_what, make) => {
    expect(make().fingerprint).not.toBe(plain.fingerprint);
  });

  it.each<[string, AnyStep]>([
    ["another name", step("other")],
    ["another join", step("c", { join: "any" })],
    ["another number of a join", step("c", { join: { atLeast: 2 } })],
    ["a join that cancels", step("c", { join: "any", cancelRest: true })],
    ["a failure that is skipped", step("c", { onFailure: "skip" })],
    ["a failure that leads on", step("c", { onFailure: done })],
    ["another kind of step", wait({ name: "c", for: { seconds: 1 } })],
  ])("differs for %s", (_what, other) => {
    const edges: Line[] = [
      [choice, { x: [a, b], y: other }],
      [a, { done: other }],
      [b, { done: other }],
      [other, { done: done }],
    ];
    expect(graph(choice, edges).fingerprint).not.toBe(plain.fingerprint);
  });

  it("is that of any for a join of one edge at least", () => {
    const of = (join: StepOptions["join"]) => {
      const last = step("last", { join });
      return graph(
        [a, b],
        [
          [a, { done: last }],
          [b, { done: last }],
          [last, { done: done }],
        ],
      ).fingerprint;
    };
    expect(of("any")).toBe(of({ atLeast: 1 }));
  });
});

describe("a graph", () => {
  it("counts an edge once for each source, the start as one, and failure routes too", () => {
    const routed = step("routed", { onFailure: c });
    const { byName } = graph(
      [routed, c],
      [
        [routed, { done: [c, a] }],
        [a, { done: c }],
        [c, { done: done }],
      ],
    );
    expect(byName.get("c")).toMatchObject({ inDegree: 3, isStart: true, mayEnd: true, targets: [] });
    expect(byName.get("routed")?.targets).toHaveLength(2);
  });

  it("knows which steps can take which event, and that a timeout is not sent", () => {
    const one = waitForEvent({ name: "one", events: { go: any }, timeout: { seconds: 1 } });
    const two = waitForEvent({ name: "two", events: { go: any, timeout: any } });
    const timer = wait({ name: "timer", for: { seconds: 1 } });
    const { receivers } = graph(
      [one, two, timer],
      [
        [one, { go: done, timeout: done }],
        [two, { go: done, timeout: done }],
        [timer, { done: done }],
      ],
    );
    const names = [...receivers].map(([event, nodes]) => [event, nodes.map(({ name }) => name)]);
    expect(Object.fromEntries(names)).toEqual({ go: ["one", "two"], timeout: ["two"] });
  });
});

describe("cancelRest", () => {
  const cancelledBy = (more: object, edges: (join: AnyStep) => Line[], start: AnyStep[]) => {
    const join = step("join", { cancelRest: true, join: "any", ...more });
    const { nodes, byName } = graph(start, edges(join));
    return byName.get("join")?.cancels.map((index) => nodes[index]?.name);
  };

  it("is of the steps all of whose paths to done pass through the join", () => {
    const behind = cancelledBy(
      {},
      (join) => [[a, { done: b }], [b, { done: join }], [c, { done: [join, done] }], ...last(join)],
      [a, c],
    );
    expect(behind).toEqual(["a", "b"]);
  });

  it("is not of a step whose failure route leads elsewhere", () => {
    const routed = step("routed", { onFailure: done });
    const behind = cancelledBy({}, (join) => [[routed, { done: join }], [a, { done: join }], ...last(join)], [
      routed,
      a,
    ]);
    expect(behind).toEqual(["a"]);
  });

  it("is not of steps that come after the join", () => {
    const behind = cancelledBy({}, (join) => [[a, { done: join }], [b, { done: join }], ...last(join)], [a, b]);
    expect(behind).toEqual(["a", "b"]);
  });

  function last(join: AnyStep): Line[] {
    const after = step("after");
    return [
      [join, { done: after }],
      [after, { done: done }],
    ];
  }
});
