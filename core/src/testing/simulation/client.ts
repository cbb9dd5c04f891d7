import { HephaestusError } from "../../definition/errors.ts";
import type { Json } from "../../definition/json.ts";
import type { InstanceView } from "../../runtime/instance-view.ts";
import { type Account, isSettledStep } from "./account.ts";
import { type Command, type Gifts, isRead, send, toCommand } from "./commands.ts";
import { type Coverage, meet } from "./coverage.ts";
import { codeAt, isParkedAt, lostIn } from "./editions.ts";
import type { Operation } from "./plan.ts";
import { checkView } from "./rules-view.ts";
import type { Life } from "./scheduler.ts";
import { hold } from "./violation.ts";
import type { Running, Workers } from "./workers.ts";
import { fail, guard, type SimulatedInstance, type World } from "./world.ts";

/** A call that was made and not yet answered. */
interface Call {
  readonly command: Command;
  readonly instance: SimulatedInstance;
  readonly life: Life;
  /** The pick in which it was made. */
  readonly tick: number;
  readonly insists: boolean;
  readonly tries: number;
}

export interface Client {
  /** Does one operation of the plan. */
  operate(operation: Operation): void;
  /** Sends a command until it is answered. */
  insist(instance: SimulatedInstance, command: Command): void;
  /** Calls that are still to be answered; those that wait for an end left out. */
  readonly waiting: number;
  /** What waits for the end of an instance. */
  readonly waitingForEnds: readonly SimulatedInstance[];
  /** @throws Violation when a command that was refused each time it was sent has taken effect */
  audit(): void;
}

/** How often a command is sent again when nobody said what became of it. */
const TRIES_MAX = 40;
const RESEND_MS = 150;

/** After these a client does not know what became of its command. */
const UNKNOWN: ReadonlySet<string> = new Set(["STORAGE_UNAVAILABLE", "STORAGE_FULL", "CLOSED"]);

export function makeClient(world: World, workers: Workers, gifts: Gifts): Client {
  const { scheduler, faults, journal, coverage } = world;
  const calls = new Set<Call>();
  const commands = new Map<string, Command>();
  /** How often each command was sent, and how often refused. */
  const sent = new Map<string, { readonly instance: SimulatedInstance; sends: number; refusals: number }>();
  let resends = 0;
  let parked = 0;

  workers.onDeath((life) => {
    for (const call of [...calls]) {
      if (call.life !== life) continue;
      calls.delete(call);
      again(call);
    }
  });

  function again({ command, instance, life, insists, tries }: Call): void {
    if (!(insists || world.calm) || tries >= TRIES_MAX) return;
    later(RESEND_MS * tries, () => call(instance, command, life.worker + 1, insists, tries + 1));
  }

  function later(ms: number, call: () => void): void {
    parked += 1;
    const run = () => {
      parked -= 1;
      call();
    };
    const nth = 10_000 + resends++;
    scheduler.park({ life: undefined, port: "client", nth, outside: true, readyAt: scheduler.now + ms, run });
  }

  function call(instance: SimulatedInstance, command: Command, worker: number, insists: boolean, tries = 1): void {
    const running = workers.get(worker % world.plan.settings.workers);
    if (running === undefined || running.life.frozenUntil > scheduler.now + 30_000) {
      // Nobody is there: the client waits for somebody.
      later(RESEND_MS, () => call(instance, command, worker + 1, insists, tries));
      return;
    }
    const fault = faults.strike(running.life, "client", faults.touch(running.life, "client"));
    switch (fault?.kind) {
      case "crash-before":
        world.crash(running.life, fault.ms);
        call(instance, command, worker + 1, insists, tries);
        return;
      case "freeze":
        running.life.frozenUntil = scheduler.now + fault.ms;
        break;
      case "clock-jump":
        world.offsets[running.life.worker] = (world.offsets[running.life.worker] ?? 0) + fault.ms;
        break;
      case "close":
        world.close(running.life, fault.ms);
        break;
      case "duplicate":
        make(workers.get((worker + 1) % world.plan.settings.workers) ?? running, instance, command, insists, tries);
        break;
    }
    make(running, instance, command, insists, tries);
  }

  function make(
    { life, engine }: Running,
    instance: SimulatedInstance,
    command: Command,
    insists: boolean,
    tries: number,
  ) {
    const own: Call = { command, instance, life, tick: scheduler.tick, insists, tries };
    calls.add(own);
    const count = sent.get(command.id) ?? { instance, sends: 0, refusals: 0 };
    sent.set(command.id, count);
    count.sends += 1;
    world.trace.add(`  client → ${life.worker} ${instance.id} ${describe(command)}`);
    const answered = (check: () => void) => {
      if (!life.alive || !calls.delete(own)) return;
      guard(world, check);
    };
    send(engine, instance, command, gifts).then(
      (value) => answered(() => accepted(own, value)),
      (error: unknown) => answered(() => refused(own, error)),
    );
  }

  function accepted(own: Call, value: Json): void {
    const { command, instance } = own;
    const told = command.type === "get" ? summaryOf(value) : JSON.stringify(value);
    world.trace.add(`  client ← ${instance.id} ${command.id} ${told}`);
    const account = journal.account(instance.id);
    if (isRead(command)) checkRead(account, own, value, coverage);
    else checkAccepted(account, own, value);
  }

  function checkAccepted(account: Account, { command, instance }: Call, value: Json): void {
    const known = account.commands.get(command.id)?.record;
    const what = () => `${command.type} ${command.id} of ${instance.id} was answered ${JSON.stringify(value)}`;
    const type = command.type === "restart" ? "start" : command.type;
    hold(known !== undefined, "answer-true", () => `${what()} and is not in the journal`);
    hold(known.type === type, "answer-true", () => `${what()} and is there as ${known.type}`);
    if (command.type === "restart") meet(coverage, "commands", "restart");
    if (type !== "start" && type !== "event") return;
    const same = JSON.stringify(known.reply) === JSON.stringify(value);
    hold(same, "answer-true", () => `${what()}, and the journal says ${JSON.stringify(known.reply)}`);
  }

  function refused(own: Call, error: unknown): void {
    const { command, instance } = own;
    if (!(error instanceof HephaestusError)) {
      fail(world, error);
      return;
    }
    const { code } = error;
    world.trace.add(`  client ← ${instance.id} ${command.id} ${code}`);
    guard(world, () => {
      hold(code !== "CLOSED" || own.life.closing, "answer-true", () => {
        return `${describe(command)} of ${instance.id} is answered CLOSED by worker ${own.life.worker}, which is open`;
      });
    });
    if (UNKNOWN.has(code)) again(own);
    else checkRefused(own, error);
  }

  function checkRefused(own: Call, error: HephaestusError): void {
    const { command, instance } = own;
    const { code } = error;
    meet(coverage, "refusals", code);
    if (code === "PARKED" && command.type === "adopt") meet(coverage, "editions", "adopt refused");
    const count = sent.get(command.id);
    if (count) count.refusals += 1;
    const account = journal.account(instance.id);
    if (command.type === "result") {
      checkNoResult(account, own, code);
      return;
    }
    // A restart reads the run before it, and of a deleted one there is nothing to read.
    if (command.type === "restart" && code === "INSTANCE_NOT_FOUND") return;
    const known = account.commands.get(command.id);
    hold(known === undefined || known.tick >= own.tick, "commands", () => {
      return `${describe(command)} of ${instance.id} was refused with ${code}, and had taken effect before it was sent`;
    });
    // Only when nothing changed meanwhile it is plain what was so when it was refused.
    if (account.changedAt >= own.tick) return;
    checkRefusal(account, own, error);
  }

  return {
    operate({ id, worker, instance: place, action, insists }) {
      const instance = world.instances[place % world.instances.length] as SimulatedInstance;
      const account = journal.account(instance.id);
      const life = workers.get(worker)?.life;
      const isParked = life !== undefined && isParkedAt(account, life);
      const first = action.type === "again" ? commands.get(action.of) : undefined;
      const command = first ?? toCommand(action, id, account, isParked) ?? { id, type: "start" };
      commands.set(id, command);
      const target = first ? (sent.get(first.id)?.instance ?? instance) : instance;
      call(target, command, worker, insists);
    },
    insist(instance, command) {
      call(instance, command, 0, true);
    },
    get waiting() {
      let count = parked;
      for (const { command } of calls) if (command.type !== "result") count += 1;
      return count;
    },
    get waitingForEnds() {
      return [...calls].filter(({ command }) => command.type === "result").map(({ instance }) => instance);
    },
    audit() {
      for (const [id, { instance, sends, refusals }] of sent) {
        const known = journal.account(instance.id).commands.has(id);
        hold(
          !known || refusals < sends,
          "answer-true",
          () => `${id} of ${instance.id} was refused, and has taken effect`,
        );
      }
    },
  };
}

function describe({ id, type, ...rest }: Command): string {
  return `${type} ${id} ${JSON.stringify(rest)}`;
}

function summaryOf(value: Json): string {
  const { run, revision, status } = value as unknown as InstanceView;
  return JSON.stringify({ run, revision, status });
}

function checkRead(account: Account, { command, tick, life }: Call, value: Json, coverage: Coverage): void {
  if (command.type === "get") {
    const view = value as unknown as InstanceView;
    checkView(account, view, codeAt(account, life));
    if (view.parked) meet(coverage, "editions", "parked");
  }
  if (command.type !== "result" || account.changedAt >= tick) return;
  hold(account.status === "completed", "answer-true", () => `${account.id} gave a result, and is ${account.status}`);
}

function checkNoResult(account: Account, { tick }: Call, code: string): void {
  if (account.changedAt >= tick) return;
  const statuses: Record<string, string> = {
    RUN_FAILED: "failed",
    CANCELLED: "cancelled",
    INSTANCE_NOT_FOUND: "deleted",
  };
  const said = statuses[code];
  hold(said === account.status, "answer-true", () => `result() of ${account.id} said ${code}, it is ${account.status}`);
}

function checkRefusal(account: Account, { command, life }: Call, { code, details, message }: HephaestusError): void {
  const what = () => `${describe(command)} of ${account.id} was refused: ${message}; it is ${account.status}`;
  if (code === "PARKED") {
    const isRight = command.type === "adopt" ? lostIn(account, codeAt(account, life)) : isParkedAt(account, life);
    hold(isRight !== undefined && isRight !== false, "editions", what);
  } else if (code === "STATUS_REFUSES" || code === "ALREADY_RUNNING") {
    hold(details.status === account.status, "answer-true", what);
  } else if (code === "INSTANCE_NOT_FOUND") {
    hold(account.status === "deleted", "answer-true", what);
  } else if (code === "EVENT_NOT_EXPECTED" && command.type === "event") {
    const { event, step } = command;
    // It may be for a later retry.
    hold(account.status !== "failed", "answer-true", what);
    const able = account.workflow.graph.nodes.filter(
      (node) => node.receives.has(event) && (step ?? node.name) === node.name,
    );
    const free = able.filter((node) => {
      const state = account.steps.get(node.name);
      return !isSettledStep(state) && state?.status !== "choosing";
    });
    hold(free.length === 0, "answer-true", what);
  }
}
