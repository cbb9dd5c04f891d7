import { expect } from "vitest";
import type { Graph } from "../definition/graph.ts";
import type { AnyWorkflow } from "../definition/workflow.ts";
import type {
  Command,
  CompensatedCommand,
  ControlCommand,
  EventCommand,
  FailureCommand,
  OutcomeCommand,
  Reply,
} from "../engine/commands.ts";
import { type DecideContext, type Decision, decide } from "../engine/decide.ts";
import type { Draft } from "../engine/draft.ts";
import { type Header, toHeader } from "../engine/header.ts";
import { type PendingWork, pendingWork } from "../engine/pending.ts";
import { type Applied, applyRecord, emptyRun, foldRecords, isUndone, type RunState } from "../engine/run-state.ts";
import type { Payloads, StepState, StoredError, Timestamp } from "../engine/state.ts";

/** One record as a storage would hold it. */
interface KeptRecord extends Applied {
  readonly payloads: Payloads;
  readonly header: Header | undefined;
}

/**
 * The engine alone, without a driver or a storage: commands go in, and what it decides is folded. Whatever is decided is
 * checked for what must hold of every decision, so that each test checks that too.
 */
export interface EngineRun {
  /** Moved by the test. */
  now: Timestamp;
  graph: Graph;
  readonly state: RunState;
  readonly records: readonly KeptRecord[];
  readonly last: Decision;
  runner: DecideContext["runner"];
  /** Decides all of them in one commit. */
  send(...commands: Command[]): readonly Reply[];
  /** Decides one. @throws HephaestusError what it was refused with */
  do(command: Command): unknown;
  step(name: string): StepState | undefined;
  readonly pending: PendingWork;
  /** The last header that was written. */
  readonly header: Header | undefined;
  /** Starts a run. */
  start(id?: string): unknown;
  /** The current attempt of a step ends with an event. */
  ends(step: string, event?: string, more?: Partial<OutcomeCommand>): unknown;
  /** The current attempt of a step throws. */
  fails(step: string, more?: Partial<FailureCommand>): unknown;
  /** The compensation that is to be run ends, well unless an error is said. */
  undoes(step: string, more?: Partial<CompensatedCommand>): unknown;
  event(event: string, more?: Partial<EventCommand>): unknown;
  control(type: ControlCommand["type"], id?: string): unknown;
  /** Time passes, and the run is woken. */
  pass(ms: number): void;
  /** The status of each step that was reached. */
  readonly statuses: Record<string, StepState["status"]>;
}

/** An error as a runner would store it. */
export function storedError(message = "broken", code?: string): StoredError {
  return { name: "Error", message, ...(code === undefined ? {} : { code }) };
}

/** @param given what is stored already */
export function engineRun(workflow: AnyWorkflow, given: readonly Applied[] = [], id = "i"): EngineRun {
  const state = emptyRun(id);
  const records: KeptRecord[] = given.map((record) => ({ ...record, payloads: {}, header: undefined }));
  for (const record of records) applyRecord(state, record, workflow.graph);
  let last: Decision | undefined;
  let ids = 0;
  const run: EngineRun = {
    now: 1_000,
    graph: workflow.graph,
    state,
    records,
    runner: undefined,
    get last() {
      return last as Decision;
    },
    get pending() {
      return pendingWork(run.graph, state);
    },
    get header() {
      return records.findLast((record) => record.header)?.header;
    },
    step: (name) => state.steps.get(name),
    send(...commands) {
      const before = plainState(state);
      const decision = decide(run.graph, state, commands, {
        now: run.now,
        ...(run.runner ? { runner: run.runner } : {}),
      });
      last = decision;
      expect(plainState(state), "decide leaves its state as it is").toEqual(before);
      expect(decision.replies).toHaveLength(commands.length);
      const { changes, payloads = {}, draft } = decision;
      if (changes === undefined) return decision.replies;
      const header = decision.writesHeader ? toHeader(draft) : undefined;
      // As it comes back from a storage.
      const record: KeptRecord = JSON.parse(
        JSON.stringify({ revision: draft.revision, run: draft.run, changes, payloads, header }),
      );
      expect(record.changes, "changes are JSON").toEqual(changes);
      records.push(record);
      const said = saysOfItself(draft);
      applyRecord(state, { revision: draft.revision, run: draft.run, changes }, run.graph);
      expect(isSaidOf(state), "a draft is what its record makes of the state").toEqual(said);
      expect(plainState(loaded(id, records, run.graph)), "what is loaded is what was live").toEqual(plainState(state));
      return decision.replies;
    },
    do(command) {
      const [reply] = run.send(command);
      if (reply?.error) throw reply.error;
      return reply?.value;
    },
    start(commandId = `start-${++ids}`) {
      const { workflow, version, fingerprint } = run.graph;
      return run.do({ type: "start", commandId, info: { workflow, version, fingerprint }, input: "{}" });
    },
    ends(step, event = "done", more = {}) {
      const attempt = run.step(step)?.attempt ?? 1;
      return run.do({ type: "outcome", step, attempt, event, startedAt: run.now, ...more });
    },
    fails(step, more = {}) {
      const attempt = run.step(step)?.attempt ?? 1;
      return run.do({ type: "failure", step, attempt, error: storedError(), retryable: true, jitter: 0, ...more });
    },
    undoes(step, more = {}) {
      const attempt = run.step(step)?.compensation?.attempt ?? 1;
      return run.do({ type: "compensated", step, attempt, ...more });
    },
    event: (event, more = {}) => run.do({ type: "event", commandId: `event-${++ids}`, event, ...more }),
    control: (type, commandId = `${type}-${++ids}`) => run.do({ type, commandId }),
    pass(ms) {
      run.now += ms;
      run.do({ type: "wake" });
    },
    get statuses() {
      return Object.fromEntries([...state.steps].map(([name, step]) => [name, step.status]));
    },
  };
  return run;
}

/** The state as one finds it after a restart: the records of the latest run, folded. */
export function loaded(id: string, records: readonly Applied[], graph: Graph): RunState {
  const first = records.findLastIndex(({ changes }) => changes.run !== undefined || changes.status === "deleted");
  return foldRecords(id, records.slice(first), graph);
}

/** Everything in a state, its order included, as it can be compared. */
export function plainState(state: RunState): unknown {
  const { steps, inbox, commands, open, ...rest } = state;
  return JSON.parse(
    JSON.stringify({ ...rest, steps: [...steps].sort(), inbox: [...inbox], commands: [...commands], open: [...open] }),
  );
}

/** What a draft says of itself, to be compared with what its record makes of the state. */
function saysOfItself(draft: Draft): unknown {
  const { status, paused, owner, ending, active, runnable, fingerprint, settled, doneTaken, graph } = draft;
  if (status === "deleted") return { status };
  const said = { status, paused, owner, ending, active, runnable, open: [...draft.open()] };
  const untaken = [...draft.untaken()].map(({ id }) => id);
  const effects = [...draft.effects()].filter((name) => !isUndone(draft.step(name)));
  const more = { ...said, untaken, effects, fingerprint };
  if (ending) return more;
  return {
    ...more,
    settled,
    doneTaken,
    joins: graph.nodes.map(({ index }) => [draft.taken(index), draft.resolved(index)]),
  };
}

function isSaidOf(state: RunState): unknown {
  const { status, paused, owner, ending, active, runnable, fingerprint, settled, doneTaken, taken, resolved } = state;
  if (status === "deleted") return { status };
  const said = { status, paused, owner, ending, active, runnable, open: [...state.open] };
  const untaken = [...state.inbox.keys()];
  const effects = [...state.effects].reverse().filter((name) => !isUndone(state.steps.get(name)));
  const more = { ...said, untaken, effects, fingerprint };
  if (ending) return more;
  return { ...more, settled, doneTaken, joins: taken.map((count, index) => [count, resolved[index]]) };
}
