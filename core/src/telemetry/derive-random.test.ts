import fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../../test/lane.ts";
import { DONE_NAME } from "../definition/graph.ts";
import type { Command } from "../engine/commands.ts";
import { applyRecord, emptyRun, isEnded, isRunnable, takenTargets } from "../engine/run-state.ts";
import type { StepState } from "../engine/state.ts";
import { type EngineRun, engineRun } from "../testing/engine-run.ts";
import { type Pick, randomWorkflow, toWorkflow } from "../testing/random-workflow.ts";
import { eventsOfCommit } from "./derive.ts";
import type { TelemetryEvent, TelemetryName } from "./events.ts";

const tapes = fc.array(fc.nat(999), { maxLength: 200, size: "max" });
const ERROR = { name: "Error", message: "no" };

/** Something that may happen to an open step. */
function randomCommand(run: EngineRun, pick: Pick, turn: number): Command {
  const names = [...run.state.open];
  const name = names[pick(names.length)] ?? "";
  const step = run.step(name);
  const node = run.graph.byName.get(name);
  const token = { step: name, attempt: step?.attempt ?? 1 };
  const choiceOf = (event: string) => {
    const route = node?.routes.get(event);
    const targets = (route?.targets ?? []).slice(0, 1).map((index) => run.graph.nodes[index]?.name ?? DONE_NAME);
    return route?.choice ? { targets } : {};
  };
  if (run.state.ending) {
    const compensating = [...run.state.steps].find(([, one]) => one.compensation?.status === "active");
    if (compensating) {
      const attempt = compensating[1].compensation?.attempt ?? 1;
      return { type: "compensated", step: compensating[0], attempt };
    }
    const [event = ""] = node?.routes.keys() ?? [];
    const outcome = { type: "outcome", ...token, event, startedAt: run.now } as const;
    return pick(2) === 0 ? outcome : { type: "aborted", ...token, begun: pick(2) === 0 };
  }
  if (step?.status === "choosing") return { type: "choice", step: name, ...choiceOf(step.event ?? "") };
  if (step?.status === "active" && isRunnable(step) && node) {
    const events = [...node.routes.keys()];
    const event = events[pick(events.length)] ?? "";
    const kinds: Command[] = [
      { type: "outcome", ...token, event, startedAt: run.now, ...(pick(2) === 0 ? choiceOf(event) : {}) },
      { type: "failure", ...token, error: ERROR, retryable: pick(4) > 0, jitter: 0 },
      { type: "pending", ...token },
      { type: "interrupted", steps: [name] },
    ];
    return kinds[[0, 0, 0, 0, 1, 2, 3][pick(7)] ?? 0] as Command;
  }
  const events = [...(node?.receives ?? [])];
  const event = events[pick(events.length)];
  if (event !== undefined && pick(2) === 0) return { type: "event", commandId: `e${turn}`, event };
  return { type: "wake" };
}

function play(tape: readonly number[]): EngineRun {
  let next = 0;
  const pick: Pick = (n) => (n === 0 ? 0 : (tape[next++] ?? 0) % n);
  const run = engineRun(toWorkflow(randomWorkflow(pick, { steps: 8, cancelRest: true, failures: true })));
  const { workflow, version, fingerprint } = run.graph;
  run.do({ type: "start", commandId: "s", info: { workflow, version, fingerprint }, input: "{}" });
  for (let turn = 0; turn < 60 && !isEnded(run.state.status); turn++) {
    const nextWake = run.pending.wakeAt;
    if (nextWake !== undefined && pick(3) === 0) run.now = Math.max(run.now, nextWake);
    if (pick(25) === 24) run.send({ type: "cancel", commandId: `c${turn}` });
    // Two at once share a commit.
    const commands =
      pick(3) === 0 ? [randomCommand(run, pick, turn), { type: "wake" } as const] : [randomCommand(run, pick, turn)];
    run.send(...commands);
    if (run.state.status === "failed" && pick(2) === 0) run.do({ type: "retry", commandId: `r${turn}` });
  }
  return run;
}

function count(events: readonly TelemetryEvent[], ...names: TelemetryName[]): number {
  return events.filter(({ name }) => names.includes(name)).length;
}

it("says of any run what its states say", () => {
  fc.assert(
    fc.property(tapes, (tape) => {
      const run = play(tape);
      const { graph } = run;
      const state = emptyRun("i");
      const open = new Map<string, number>();
      for (const record of run.records) {
        const { changes } = record;
        const before = new Map(state.steps);
        const status = state.status;
        const events = eventsOfCommit({ state, graph, runner: "local", now: changes.at }, changes);
        applyRecord(state, record, graph);

        const [advance] = events.filter((event) => event.name === "engine:advance");
        expect(advance?.measurements.activeSteps).toBe(state.open.size);
        expect(advance?.metadata.statusAfter).toBe(state.status);
        const ended = isEnded(state.status) && (state.status !== status || changes.ending !== undefined);
        const ends = events.filter(({ name }) =>
          ["workflow:stop", "workflow:exception", "workflow:cancel"].includes(name),
        );
        expect(ends).toHaveLength(ended ? 1 : 0);
        expect(ends.map((event) => (event.measurements as { stepCount?: number }).stepCount)).toEqual(
          ended ? [state.completed.length] : [],
        );

        for (const [name, after] of Object.entries(changes.steps ?? {})) {
          const node = graph.byName.get(name)!;
          const told = events.filter(({ metadata }) => "step" in metadata && metadata.step === name);
          const was: StepState | undefined = before.get(name);
          // Whoever counts beginnings and ends of waits comes out even.
          const waits = (open.get(name) ?? 0) + count(told, "step:async");
          const left = was?.status === "waiting" ? count(told, "step:cancel") : 0;
          open.set(name, waits - count(told, "step:resume") - left);
          expect(open.get(name)).toBe(Number(after.status === "waiting"));
          // No attempt ends in two ways.
          expect(count(told, "step:stop", "step:exception", "step:cancel", "step:resume")).toBeLessThan(2);
          const transitions = events.filter(
            (event) => event.name === "workflow:transition" && event.metadata.fromStep === name,
          );
          const taken = takenTargets(graph, node, after).map((index) => graph.nodes[index]?.name ?? DONE_NAME);
          const leadsOn = was?.status !== after.status || was.attempt !== after.attempt || was.targets?.length === 0;
          expect(transitions.map(({ metadata }) => (metadata as { targets?: unknown }).targets)).toEqual(
            leadsOn && taken.length > 0 ? [taken] : [],
          );
        }
      }
    }),
    { numRuns: cases(300) },
  );
});
