import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cases } from "../../test/lane.ts";
import { type EngineRun, engineRun, plainState } from "../testing/engine-run.ts";
import { type ModelAction, ModelRun, type ModelWorkflow } from "../testing/model.ts";
import {
  type Pick,
  RANDOM_WAIT_MS,
  type RandomOptions,
  randomWorkflow,
  toWorkflow,
} from "../testing/random-workflow.ts";
import type { Command } from "./commands.ts";
import { isEnded } from "./run-state.ts";
import type { StepState } from "./state.ts";

/** What a case remembers: it can be made shorter and smaller until it shows what is wrong. */
const tapes = fc.array(fc.nat(999), { maxLength: 300, size: "max" });
const RUNS = cases(400);

function picker(tape: readonly number[]): Pick {
  let next = 0;
  return (n) => (tape[next++] ?? 0) % n;
}

const START = { type: "start", commandId: "start" } as const;

function begin(model: ModelWorkflow): EngineRun {
  const run = engineRun(toWorkflow(model));
  const { workflow, version, fingerprint } = run.graph;
  run.do({ ...START, info: { workflow, version, fingerprint }, input: "{}" });
  return run;
}

interface Move {
  readonly command: Command;
  /** The time passes until then first. */
  readonly at?: number;
  readonly actions: readonly ModelAction[];
}

/** One thing that may happen next. What is picked with 0 always leads on. */
function randomMove(run: EngineRun, model: ModelWorkflow, pick: Pick, turn: number): Move {
  const { state } = run;
  const open = [...state.open].map((name) => ({ name, step: state.steps.get(name) as StepState }));
  const moves: (() => Move)[] = [];
  const targetsOf = (name: string, event: string) => {
    const { events, choices } = stepOf(model, name);
    const all = events[event] as readonly string[];
    if (!choices.includes(event)) return undefined;
    const some = all.filter(() => pick(2) === 1);
    return some.length > 0 ? some : all.slice(0, 1);
  };
  for (const { name, step } of open) {
    const token = { step: name, attempt: step.attempt ?? 1 };
    if (step.status === "active" && step.wakeAt === undefined) {
      moves.push(() => {
        const events = Object.keys(stepOf(model, name).events);
        const event = events[pick(events.length)] as string;
        const targets = pick(3) === 2 ? undefined : targetsOf(name, event);
        const outcome = { type: "outcome", step: name, event, ...(targets ? { targets } : {}) } as const;
        return { command: { ...outcome, ...token, startedAt: run.now }, actions: [outcome] };
      });
      moves.push(() => ({
        command: { type: "failure", ...token, error: { name: "Error", message: "no" }, retryable: false, jitter: 0 },
        actions: [{ type: "failure", step: name }],
      }));
      moves.push(() => ({ command: { type: "pending", ...token }, actions: [{ type: "pending", step: name }] }));
      moves.push(() => ({ command: { type: "checkpoint", ...token, name: "c", value: "1" }, actions: [] }));
      if ((step.interruptions ?? 0) < 3) {
        moves.push(() => ({ command: { type: "interrupted", steps: [name] }, actions: [] }));
      }
    }
    if (step.status === "choosing") {
      moves.push(() => {
        const targets = targetsOf(name, step.event as string) as string[];
        return {
          command: { type: "choice", step: name, targets },
          actions: [{ type: "choice", step: name, targets }],
        };
      });
    }
  }
  const timers = open.filter(({ step }) => step.wakeAt !== undefined && step.wakeEvent !== undefined);
  // What is paused past a deadline is told in sentences: the model knows no time.
  for (const { step } of state.paused ? [] : timers) {
    moves.push(() => {
      const at = step.wakeAt as number;
      const due = timers.filter((one) => (one.step.wakeAt as number) <= at);
      due.sort((one, other) => (one.step.wakeAt as number) - (other.step.wakeAt as number));
      return {
        command: { type: "wake" },
        at,
        actions: due.map((one) => ({ type: "timer", step: one.name, event: one.step.wakeEvent as string })),
      };
    });
  }
  const eventMove = (event: string, step?: string): Move => {
    const sent = { event, ...(step === undefined ? {} : { step }) };
    const id = `e${turn}`;
    return {
      command: { type: "event", commandId: id, ...sent, payload: "1" },
      actions: [{ type: "event", id, ...sent }],
    };
  };
  for (const { name, step } of open) {
    if (step.status !== "waiting" || step.wakeEvent === "done") continue;
    moves.push(() => {
      const events = [...run.graph.byName.get(name)!.receives];
      return eventMove(events[pick(events.length)] as string, pick(2) === 0 ? name : undefined);
    });
  }
  if (state.paused) {
    moves.unshift(() => ({ command: { type: "unpause", commandId: `u${turn}` }, actions: [{ type: "unpause" }] }));
  } else {
    moves.push(() => ({ command: { type: "pause", commandId: `p${turn}` }, actions: [{ type: "pause" }] }));
  }
  const names = [...run.graph.receivers.keys()];
  if (names.length > 0) moves.push(() => eventMove(names[pick(names.length)] as string));
  return (moves[pick(moves.length)] as () => Move)();
}

function stepOf(model: ModelWorkflow, name: string) {
  return model.steps.find((step) => step.name === name)!;
}

function compare(run: EngineRun, model: ModelWorkflow, modelRun: ModelRun): void {
  const expected = modelRun.state();
  const { state } = run;
  expect(state.ending === undefined ? state.status === "completed" : "failed").toEqual(
    expected.outcome === "failed" ? "failed" : expected.outcome === "completed",
  );
  if (expected.outcome === "failed") {
    expect(state.ending?.step).toBe(expected.failed);
    return;
  }
  const status = Object.fromEntries(
    model.steps.map(({ name }) => [name, state.steps.get(name)?.status ?? "unreached"]),
  );
  expect(status).toEqual(Object.fromEntries(expected.status));
  expect([...state.inbox.keys()]).toEqual(expected.inbox);
  const waiting = [...state.open].filter((name) => state.steps.get(name)?.status === "waiting");
  expect(waiting).toEqual(expected.waiting);
  const taken = [...state.steps].filter(([, step]) => step.taken).map(([name, step]) => [name, step.taken]);
  expect(Object.fromEntries(taken)).toEqual(Object.fromEntries(expected.taken));
}

/** Lets an ending run come to its end, in whatever way. */
function finish(run: EngineRun, pick: Pick): string[] {
  const compensated: string[] = [];
  for (let turn = 0; !isEnded(run.state.status); turn++) {
    expect(turn).toBeLessThan(1_000);
    const { abort, compensate, wakeAt } = run.pending;
    const [name] = abort;
    if (name !== undefined) {
      const token = { step: name, attempt: run.step(name)?.attempt ?? 1 };
      const event = Object.keys(Object.fromEntries(run.graph.byName.get(name)!.routes))[0]!;
      const outcome = { type: "outcome", ...token, event, startedAt: run.now } as const;
      const aborted = { type: "aborted", ...token, begun: pick(2) === 1 } as const;
      run.do(([aborted, outcome, { type: "interrupted" }] as const)[pick(3)]!);
    } else if (compensate !== undefined) {
      const attempt = run.step(compensate)?.compensation?.attempt ?? 1;
      if (compensated.at(-1) !== compensate) compensated.push(compensate);
      if (pick(3) === 2) run.do({ type: "interrupted" });
      else {
        const error = pick(3) === 1 ? { error: { name: "Error", message: "no" }, retryable: false } : {};
        expect(run.do({ type: "compensated", step: compensate, attempt, ...error })).toBe("recorded");
      }
    } else {
      run.now = wakeAt!;
      run.do({ type: "wake" });
    }
  }
  expect(run.state.open.size).toBe(0);
  return compensated;
}

interface Logged {
  readonly now: number;
  readonly command: Command;
}

interface Played {
  readonly run: EngineRun;
  readonly model: ModelWorkflow;
  readonly log: readonly Logged[];
}

/** Runs a random workflow to its end, and compares it with the model after each step on the way. */
function play(tape: readonly number[], options: RandomOptions): Played {
  const pick = picker(tape);
  const model = randomWorkflow(pick, options);
  const run = begin(model);
  // The order of the definition is that in which steps are first mentioned.
  const modelRun = new ModelRun({ ...model, steps: run.graph.nodes.map(({ name }) => stepOf(model, name)) });
  const log: Logged[] = [];
  try {
    compare(run, model, modelRun);
    while (!isEnded(run.state.status) && !run.state.ending) {
      expect(log.length).toBeLessThan(2_000);
      const move = randomMove(run, model, pick, log.length);
      run.now = Math.max(run.now, move.at ?? 0);
      log.push({ now: run.now, command: move.command });
      const [reply] = run.send(move.command);
      let told: string | undefined;
      for (const action of move.actions) {
        // One that was cancelled by what came just before it does not fire any more.
        if (action.type === "timer" && modelRun.state().status.get(action.step) !== "waiting") continue;
        told = modelRun.act(action);
      }
      compare(run, model, modelRun);
      if (move.command.type !== "event") continue;
      expect(reply?.error ? "refused" : reply?.value).toBe(told);
      if (reply?.error) expect(reply.error.code).toBe("EVENT_NOT_EXPECTED");
    }
  } catch (cause) {
    const lines = [JSON.stringify(model), ...log.map((entry) => JSON.stringify(entry))];
    throw new Error(`${(cause as Error).message}\n${lines.join("\n")}`, { cause });
  }
  return { run, model, log };
}

function check(property: (tape: readonly number[]) => void, runs = RUNS): void {
  fc.assert(fc.property(tapes, property), { numRuns: runs });
}

describe("random workflows", { timeout: 600_000 }, () => {
  it("run every step exactly when the model says, and end", () => {
    check((tape) => {
      const { run } = play(tape, { steps: 9, cancelRest: true, failures: true });
      if (!run.state.ending) return;
      const order = [...run.state.completed];
      const compensated = finish(run, picker([...tape].reverse()));
      // The steps that settled after the failure completed last.
      const late = run.state.completed.slice(order.length);
      expect(compensated).toEqual(
        [...order, ...late].filter((name) => run.graph.byName.get(name)!.compensates).reverse(),
      );
      expect(run.state.status).toBe("failed");
    });
  });

  it("decide a batch of commands as they decide one after the other", () => {
    check((tape) => {
      const { run, model, log } = play(tape, { steps: 8, cancelRest: true, failures: true });
      const batched = begin(model);
      const pick = picker([...tape].reverse());
      let batch: Command[] = [];
      log.forEach(({ now, command }, index) => {
        batch.push(command);
        const next = log[index + 1];
        if (next && next.now === now && pick(4) > 0) return;
        batched.now = now;
        batched.send(...batch);
        batch = [];
      });
      expect(withoutRevisions(batched)).toEqual(withoutRevisions(run));
    });
  });

  it("run the same steps in every order of completion, if no join cancels others and the run does not fail", () => {
    check((tape) => {
      const first = inSomeOrder(tape, picker([]));
      const second = inSomeOrder(tape, picker([...tape].reverse()));
      if (first === undefined || second === undefined) return;
      expect(second).toEqual(first);
    });
  });
});

function withoutRevisions(run: EngineRun): unknown {
  const drop = new Set(["revision", "since", "result", "takenAt", "firstRevision", "checkpoints"]);
  const plain = JSON.parse(JSON.stringify(plainState(run.state), (key, value) => (drop.has(key) ? undefined : value)));
  // What is started and cancelled in one commit was never begun; in two it may have been.
  for (const [, step] of plain.steps) if (step.status === "cancelled") delete step.unknown;
  return { ...plain, steps: Object.fromEntries(plain.steps) };
}

/** How each step ends if it is run, whatever else happens; in which order is picked. Undefined when the run fails. */
function inSomeOrder(tape: readonly number[], pick: Pick): Record<string, string> | undefined {
  const fixed = picker(tape);
  const model = randomWorkflow(fixed, { steps: 9, cancelRest: false, failures: false });
  const ends = new Map(
    model.steps.map(({ name, events, choices }) => {
      const event = Object.keys(events)[fixed(Object.keys(events).length)] as string;
      const all = events[event] as readonly string[];
      const targets = choices.includes(event) ? all.filter((_, index) => index === 0 || fixed(2) === 1) : undefined;
      return [name, { event, ...(targets ? { targets } : {}), fails: fixed(6) === 5 }];
    }),
  );
  const run = begin(model);
  while (run.state.open.size > 0 && !run.state.ending) {
    const open = [...run.state.open];
    const name = open[pick(open.length)] as string;
    const { fails, event, ...chosen } = ends.get(name)!;
    const step = run.step(name) as StepState;
    const token = { step: name, attempt: 1 };
    if (step.status === "choosing") run.do({ type: "choice", step: name, targets: chosen.targets ?? [] });
    else if (step.status === "waiting") {
      if (step.wakeEvent === "done" || event === "timeout") {
        run.do({ type: "schedule", commandId: `${name}!`, step: name, event, delayMs: 0 });
        run.do({ type: "wake" });
      } else run.do({ type: "event", commandId: `${name}?`, step: name, event });
    } else if (fails) {
      const error = { name: "Error", message: "no" };
      run.do({ type: "failure", ...token, error, retryable: false, jitter: 0 });
    } else run.do({ type: "outcome", ...token, event, ...chosen, startedAt: run.now });
  }
  expect(run.now).toBeLessThan(RANDOM_WAIT_MS);
  if (run.state.status !== "completed") return undefined;
  return Object.fromEntries(model.steps.map(({ name }) => [name, run.step(name)!.status]));
}
