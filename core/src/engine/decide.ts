import { assert, HephaestusError, unreachable } from "../definition/errors.ts";
import type { Graph } from "../definition/graph.ts";
import type { Json } from "../definition/json.ts";
import { decideChoice, decideCompensated, decideInterrupted, decideReport } from "./attempts.ts";
import type { Command, Reply, StartCommand } from "./commands.ts";
import { decideControl, decideStart, forgetDue, unexpiredCommands } from "./control.ts";
import { deliverWaiting } from "./deliver-waiting.ts";
import { Draft } from "./draft.ts";
import { advanceEnding, beginEnding } from "./ending.ts";
import { decideEvent, decideSchedule } from "./events.ts";
import { propagate } from "./joins.ts";
import { notFound } from "./refuse.ts";
import { emptyRun, isEnded, type RunState } from "./run-state.ts";
import type { Changes, CommandRecord, Owner, Payloads, Timestamp } from "./state.ts";
import { compensationTimer, fireDue } from "./timers.ts";

/** Who asks, and when. */
export interface DecideContext {
  readonly now: Timestamp;
  /** The runner that will drive what follows; undefined where there can be only one, as in a Durable Object. */
  readonly runner?: Lessee;
}

/** Who takes a run on a lease, and for how long. */
export interface Lessee {
  readonly id: string;
  readonly leaseMs: number;
}

export interface Decision {
  /** What to commit; undefined when nothing changes. */
  readonly changes: Changes | undefined;
  readonly payloads: Payloads | undefined;
  /** Whether the row that queries read must be written with it. */
  readonly writesHeader: boolean;
  /** One for each command, in order; to be given once the changes are committed. */
  readonly replies: readonly Reply[];
  /** The state as it will be, for the header. */
  readonly draft: Draft;
}

/**
 * The engine: what follows when these commands reach this state at this time. It is pure: the state stays as it is,
 * and the same arguments give the same answer. Fold the changes with `applyRecord` once they are committed.
 *
 * Invariants of every decision: a step is settled at most once a run (but by `retry`), nothing but a new run, a retry,
 * a cancel of what failed or a tombstone follows an end, and no timer fires before its time.
 */
export function decide(graph: Graph, state: RunState, commands: readonly Command[], context: DecideContext): Decision {
  let draft = new Draft(state, graph, context.now);
  const replies: Reply[] = [];
  for (const command of commands) {
    try {
      const known = "commandId" in command ? draft.command(command.commandId) : undefined;
      if (known) {
        replies.push(knownReply(known, command));
        continue;
      }
      if (command.type === "start") draft = beginRun(draft, command);
      replies.push({ value: command.type === "start" ? { run: draft.run } : decideOne(draft, command, context) });
      follow(draft);
    } catch (error) {
      // What was refused has changed nothing, but that it was asked at a time at which others things were due.
      if (!(error instanceof HephaestusError)) throw error;
      replies.push({ error });
    }
  }
  if (isOfGraph(draft)) {
    // An ending that somebody without the code has begun goes on with whoever has it, whatever is asked.
    if (draft.ending) follow(draft);
    own(draft, context);
  }
  const changes = draft.changes();
  return {
    changes,
    payloads: draft.payloads,
    writesHeader: changes !== undefined && writesHeader(draft, changes),
    replies,
    draft,
  };
}

/** But where another graph was to be adopted, and refused. */
function isOfGraph({ fingerprint, graph }: Draft): boolean {
  return fingerprint === graph.fingerprint;
}

/** Events that were kept by somebody without the code come before all that is asked now. */
function deliverAndFollow(draft: Draft): void {
  deliverWaiting(draft);
  if (draft.steps.size > 0) follow(draft);
}

/** The same command again is answered like the first; an id that another kind of command had is a mistake. */
export function knownReply(known: CommandRecord, command: Command): Reply {
  // A run that was restarted has started.
  if (known.type === (command.type === "restart" ? "start" : command.type)) return { value: known.reply ?? null };
  const message = `the id ${JSON.stringify(known.id)} is that of another command: ${known.type}`;
  return { error: new HephaestusError("OPTION_INVALID", message, { field: "id", type: known.type }) };
}

/** A run begins on an empty state that goes on with the numbers of the run before. */
function beginRun(draft: Draft, command: StartCommand): Draft {
  const { base } = draft;
  if (!isEnded(draft.status)) {
    const { id, run } = base;
    const details = { id, run: draft.info?.run ?? run, status: draft.status };
    throw new HephaestusError("ALREADY_RUNNING", `${id} is ${draft.status}`, details);
  }
  assert(draft.changes() === undefined, "a start shares no commit with what came before it");
  if (base.info === undefined && base.commands.size === 0) {
    decideStart(draft, command, []);
    return draft;
  }
  const empty = Object.assign(emptyRun(base.id), { run: base.run, revision: base.revision });
  const next = new Draft(empty, draft.graph, draft.now);
  decideStart(next, command, unexpiredCommands(draft));
  return next;
}

function decideOne(draft: Draft, command: Exclude<Command, StartCommand>, { runner }: DecideContext): Json {
  // A restart is sent on only where there was nothing to start again.
  if (draft.status === "deleted" || command.type === "restart") {
    // Nobody waits for what an attempt tells of a run that is not there any more.
    if (!("commandId" in command)) return "ignored";
    throw notFound(draft.base.id);
  }
  if (draft.untakenCount > 0 && isOfGraph(draft)) deliverAndFollow(draft);
  switch (command.type) {
    case "event":
      fireAndFollow(draft);
      return decideEvent(draft, command);
    case "schedule":
      fireAndFollow(draft);
      return decideSchedule(draft, command);
    case "pause":
    case "unpause":
    case "cancel":
    case "retry":
    case "adopt":
    case "delete":
      if (command.type !== "adopt" && command.type !== "delete") fireAndFollow(draft);
      return decideControl(draft, command, runner?.id);
    case "outcome":
    case "failure":
    case "pending":
    case "aborted":
    case "checkpoint":
      return decideReport(draft, command, runner?.id);
    case "choice":
      return decideChoice(draft, command);
    case "compensated":
      return decideCompensated(draft, command);
    case "interrupted":
      decideInterrupted(draft, command);
      return null;
    case "wake":
      fireDue(draft);
      forgetDue(draft);
      return null;
    default:
      return unreachable(command);
  }
}

/** What is due by now comes before what is asked now, and may end the run that it is asked of. */
function fireAndFollow(draft: Draft): void {
  if (fireDue(draft)) follow(draft);
}

/** Everything that follows by itself from what was decided. */
function follow(draft: Draft): void {
  if (draft.touched.length > 0) propagate(draft);
  if (isEnded(draft.status)) return;
  if (draft.ending === undefined && draft.settled === draft.graph.nodes.length && draft.doneTaken === 0) {
    const message = "every step is settled and none of them led to done";
    const error = { name: "HephaestusError", code: "DONE_UNREACHED", message };
    beginEnding(draft, { outcome: "failed", error, until: draft.now });
  }
  if (draft.ending) {
    draft.status = "compensating";
    advanceEnding(draft);
  } else if (draft.settled === draft.graph.nodes.length) {
    draft.status = "completed";
  } else if (draft.paused) {
    draft.status = "paused";
  } else {
    draft.status = draft.active > 0 ? "running" : "waiting";
  }
}

/**
 * Takes, renews or gives back the lease. What another has begun is taken from it by `interrupted` alone, also when its
 * lease has run out: its attempts must get new tokens first.
 */
function own(draft: Draft, { now, runner }: DecideContext): void {
  const { owner } = draft;
  // Whoever asks: also a start that is refused can be what a run ends with.
  if (!needsDriver(draft)) draft.owner = undefined;
  else if (runner && (owner === undefined || owner.id === runner.id) && !isFresh(owner, runner, now)) {
    draft.owner = { id: runner.id, until: now + runner.leaseMs };
  }
}

/**
 * Whether a lease is the runner's own and needs no renewal yet. Runners look at half of a lease apart at the latest, so
 * that at least an eighth of it is left for what delays a renewal.
 */
export function isFresh(owner: Owner | undefined, runner: Lessee, now: Timestamp): boolean {
  return owner?.id === runner.id && owner.until - now > runner.leaseMs * 0.625;
}

/** Whether there is something that only a driver can do: run a step, a choice, a compensation. */
function needsDriver(draft: Draft): boolean {
  if (isEnded(draft.status)) return false;
  return draft.runnable > 0 || (draft.ending !== undefined && compensationTimer(draft) === undefined);
}

function writesHeader(draft: Draft, changes: Changes): boolean {
  if (changes.run || changes.owner !== undefined || changes.fingerprint !== undefined) return true;
  // Where there is no runner that takes the run in the same commit, its first step writes no row.
  if (changes.status !== undefined && !(changes.status === "running" && draft.base.status === "waiting")) return true;
  return changes.steps !== undefined && !needsDriver(draft);
}
