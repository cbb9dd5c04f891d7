import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cases } from "../../test/lane.ts";
import { type EngineRun, engineRun, storedError } from "../testing/engine-run.ts";
import { type Pick, RANDOM_WAIT_MS, randomWorkflow, toWorkflow } from "../testing/random-workflow.ts";
import type { Command, ControlCommand } from "./commands.ts";
import { CANCEL_GRACE_MS, COMMAND_RETENTION_MS } from "./limits.ts";
import { isEnded } from "./run-state.ts";

/*
 * Any command at any time, several in one commit, sensible or not: nothing throws but what is refused, what is loaded is
 * what was live (the harness sees to that), nothing follows an end that should not, and every run can be brought to one.
 */

const tapes = fc.array(fc.nat(999), { maxLength: 200, size: "max" });
const RUNS = cases(300);
const CONTROLS: readonly ControlCommand["type"][] = ["pause", "unpause", "cancel", "retry", "adopt", "delete"];
const TIMES = [0, 1, CANCEL_GRACE_MS, RANDOM_WAIT_MS, 3_600_000, COMMAND_RETENTION_MS] as const;

function picker(tape: readonly number[]): Pick {
  let next = 0;
  return (n) => (tape[next++] ?? 0) % n;
}

function anyCommand(run: EngineRun, pick: Pick, turn: number): Command {
  const { state, graph } = run;
  const names = graph.nodes.map(({ name }) => name);
  const oneOf = (list: readonly string[]) => list[pick(list.length)] as string;
  // Mostly what can be done, sometimes what can't.
  const name = state.open.size > 0 && pick(5) > 0 ? oneOf([...state.open]) : oneOf(names);
  const step = state.steps.get(name);
  const routes = graph.byName.get(name)?.routes ?? new Map();
  const event = oneOf([...routes.keys(), ...(pick(10) === 9 ? ["nonsense"] : [])]);
  const token = { step: name, attempt: (step?.attempt ?? 1) - Number(pick(10) === 9) };
  // Few ids, so that some come again.
  const commandId = pick(4) === 3 ? `id${pick(20)}` : `id${1_000 + turn}`;
  const targets = routes.get(event)?.targets.filter(() => pick(2) === 1) ?? [];
  const chosen = targets.map((index: number) => graph.nodes[index]?.name ?? "done");
  const { compensate } = run.pending;
  switch (pick(13)) {
    case 0:
    case 1:
      return {
        type: "outcome",
        ...token,
        event,
        startedAt: run.now,
        ...(pick(3) === 0 ? { targets: chosen } : {}),
        ...(pick(20) === 19 ? { choiceError: storedError() } : {}),
      };
    case 2: {
      const error = storedError("no", pick(3) === 2 ? "STEP_TIMEOUT" : undefined);
      return { type: "failure", ...token, error, retryable: pick(2) === 1, jitter: 0.5 };
    }
    case 3:
      return { type: "pending", ...token };
    case 4:
      return { type: "aborted", ...token, begun: pick(2) === 1 };
    case 5:
      return { type: "checkpoint", ...token, name: "c", value: "1" };
    case 6:
      return { type: "interrupted", ...(pick(2) === 1 ? { steps: [name] } : {}) };
    case 7:
      return { type: "choice", step: name, targets: chosen };
    case 8: {
      const done = compensate ?? name;
      const attempt = state.steps.get(done)?.compensation?.attempt ?? 1;
      return {
        type: "compensated",
        step: done,
        attempt,
        ...(pick(3) === 2 ? { error: storedError(), jitter: 0 } : {}),
      };
    }
    case 9:
      return { type: "event", commandId, event, ...(pick(2) === 1 ? { step: name } : {}), payload: "1" };
    case 10:
      return { type: "schedule", commandId, step: name, event, delayMs: 10 };
    case 11:
      return { type: CONTROLS[pick(CONTROLS.length)] as ControlCommand["type"], commandId };
    default:
      return { type: "wake" };
  }
}

function checkLives(run: EngineRun, before: EngineRun["records"][number]["changes"] | undefined): void {
  if (before?.status === undefined || !isEnded(before.status)) return;
  const { changes } = run.records.at(-1) as EngineRun["records"][number];
  if (changes === before) return;
  const types = changes.commands?.map(({ type }) => type) ?? [];
  const allowed = types.some((type) => ["start", "retry", "cancel", "delete", "event"].includes(type));
  expect(allowed, "nothing follows an end by itself").toBe(true);
}

/** Cancels whatever goes on, and lets it come to its end. */
function bringToAnEnd(run: EngineRun): void {
  run.do({ type: "wake" });
  if (!isEnded(run.state.status) && run.state.status !== "compensating") run.control("cancel", "the-end");
  for (let turn = 0; !isEnded(run.state.status); turn++) {
    expect(turn, "every run can be brought to an end").toBeLessThan(500);
    const { abort, compensate, wakeAt } = run.pending;
    if (abort[0] !== undefined) {
      const attempt = run.step(abort[0])?.attempt ?? 1;
      run.do({ type: "aborted", step: abort[0], attempt, begun: true });
    } else if (compensate !== undefined) run.undoes(compensate);
    else {
      run.now = Math.max(run.now, wakeAt as number);
      run.do({ type: "wake" });
    }
  }
  expect(run.state.open.size).toBe(0);
  expect([run.state.active, run.state.runnable]).toEqual([0, 0]);
  expect(run.pending.wakeAt).toBeUndefined();
}

function survive(tape: readonly number[]): void {
  const pick = picker(tape);
  const model = randomWorkflow(pick, { steps: 6, cancelRest: true, failures: true });
  const run = engineRun(toWorkflow(model));
  const log: Command[][] = [];
  try {
    run.start("start");
    for (let turn = 0; turn < 40; turn++) {
      const before = run.records.at(-1)?.changes;
      run.now += TIMES[pick(3) === 2 ? pick(TIMES.length) : 0] as number;
      if (isEnded(run.state.status) && pick(3) === 2) {
        run.start(`start-${turn}`);
        continue;
      }
      const batch = Array.from({ length: 1 + (pick(3) === 2 ? pick(4) : 0) }, () => anyCommand(run, pick, turn));
      log.push(batch);
      run.send(...batch);
      checkLives(run, before);
    }
    bringToAnEnd(run);
  } catch (cause) {
    const lines = [JSON.stringify(model), ...log.map((batch) => JSON.stringify(batch))];
    throw new Error(`${(cause as Error).message}\n${lines.join("\n")}`, { cause });
  }
}

describe("any commands in any order", { timeout: 600_000 }, () => {
  it("are decided soundly, and leave a run that can be brought to an end", () => {
    fc.assert(fc.property(tapes, survive), { numRuns: RUNS });
  });
});
