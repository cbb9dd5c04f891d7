import type { Json } from "../../definition/json.ts";
import type { Hephaestus } from "../../runtime/hephaestus.ts";
import { type Account, isOver, isSettledStep } from "./account.ts";
import { mix, mixText } from "./chance.ts";
import type { Action } from "./plan.ts";
import type { SimulatedInstance } from "./world.ts";

/** A command as it is sent, perhaps several times: with its id, and with names where a plan has numbers. */
export type Command = { readonly id: string } & (
  | { readonly type: "start" | "restart" | "pause" | "unpause" | "cancel" | "retry" | "delete" | "adopt" }
  | { readonly type: "get" | "history" | "list" | "result" }
  | { readonly type: "event"; readonly event: string; readonly step?: string }
  | { readonly type: "schedule"; readonly step: string; readonly event: string; readonly delayMs: number }
);

export function isRead({ type }: Command): boolean {
  return type === "get" || type === "history" || type === "list" || type === "result";
}

/** What the client gives with starts and events. */
export interface Gifts {
  readonly input: (instance: SimulatedInstance) => unknown;
  readonly payload: (event: string, n: number) => unknown;
}

/** Random steps choose by a number that their result or payload has. */
export const GIFTS: Gifts = {
  input: ({ key }) => ({ key, n: mixText(1, key) % 1_000 }),
  payload: (event, n) => ({ event, n }),
};

/**
 * Names what an action of a plan has as numbers.
 * @param isParked where it is to be sent
 */
export function toCommand(action: Action, id: string, account: Account, isParked: boolean): Command | undefined {
  const { nodes, receivers } = account.workflow.graph;
  const events = [...receivers.keys()];
  const pick = <T>(list: readonly T[], index: number) => list[index % list.length] as T;
  switch (action.type) {
    case "again":
      return undefined;
    case "fitting":
      return (isParked ? withoutCode(account, id, action.pick) : undefined) ?? fitting(account, id, action.pick);
    case "event": {
      if (events.length === 0) return { id, type: "get" };
      const step = action.step === undefined ? {} : { step: pick(nodes, action.step).name };
      return { id, type: "event", event: pick(events, action.event), ...step };
    }
    case "schedule": {
      const node = pick(nodes, action.step);
      const event = pick([...node.routes.keys()], action.event);
      return { id, type: "schedule", step: node.name, event, delayMs: action.delayMs };
    }
    default:
      return { id, type: action.type };
  }
}

/** A command that the instance will take as it stands, most likely. */
function fitting(account: Account, id: string, pick: number): Command {
  const { status } = account;
  const roll = (n: number, salt: number) => mix(pick, salt) % n;
  if (status === "deleted") return { id, type: "start" };
  if (isOver(status)) {
    const types = status === "failed" ? (["retry", "retry", "restart", "cancel", "event"] as const) : ENDED;
    const type = types[roll(types.length, 1)] as (typeof types)[number];
    return type === "event" ? (anyEvent(account, id, pick) ?? { id, type: "restart" }) : { id, type };
  }
  if (status === "paused" && roll(3, 2) > 0) {
    return (roll(2, 13) === 0 ? anyEvent(account, id, pick) : undefined) ?? { id, type: "unpause" };
  }
  if (roll(24, 3) === 0) return { id, type: "cancel" };
  // What has events for steps that are not reached yet may reach them while it is paused.
  if (roll(hasEarlyEvent(account) ? 3 : 12, 4) === 0) return { id, type: "pause" };
  if (roll(8, 5) === 0) return scheduled(account, id, pick) ?? { id, type: "get" };
  return awaited(account, id, pick) ?? anyEvent(account, id, pick) ?? { id, type: "get" };
}

/** What is parked is adopted or given up now and then, and is told the same as any other otherwise. */
function withoutCode({ status }: Account, id: string, pick: number): Command | undefined {
  if (isOver(status)) return undefined;
  const types = ["adopt", "adopt", "pause", "unpause", "cancel", "delete"] as const;
  const type = types[mix(pick, 14) % (types.length * 2)];
  return type && { id, type };
}

function hasEarlyEvent({ inbox }: Account): boolean {
  for (const { takenBy } of inbox.values()) if (takenBy === undefined) return true;
  return false;
}

const ENDED = ["restart", "restart", "start", "delete"] as const;

/** An event for a step that waits for it. */
export function awaited(account: Account, id: string, pick: number): Command | undefined {
  const waiting = account.workflow.graph.nodes.filter(
    (node) => account.steps.get(node.name)?.status === "waiting" && node.receives.size > 0,
  );
  const node = waiting[mix(pick, 6) % Math.max(waiting.length, 1)];
  if (node === undefined) return undefined;
  const events = [...node.receives];
  const event = events[mix(pick, 7) % events.length] as string;
  return { id, type: "event", event, ...(mix(pick, 8) % 4 === 0 ? { step: node.name } : {}) };
}

/** An event that some step may still take. */
function anyEvent(account: Account, id: string, pick: number): Command | undefined {
  const able = account.workflow.graph.nodes.filter(
    (node) => node.receives.size > 0 && !isSettledStep(account.steps.get(node.name)),
  );
  const node = able[mix(pick, 9) % Math.max(able.length, 1)];
  if (node === undefined) return undefined;
  const events = [...node.receives];
  return { id, type: "event", event: events[mix(pick, 10) % events.length] as string };
}

function scheduled(account: Account, id: string, pick: number): Command | undefined {
  const node = account.workflow.graph.nodes.find((one) => account.steps.get(one.name)?.status === "waiting");
  if (node === undefined) return undefined;
  const events = [...node.routes.keys()];
  const event = events[mix(pick, 11) % events.length] as string;
  return { id, type: "schedule", step: node.name, event, delayMs: [0, 300, 2_000][mix(pick, 12) % 3] as number };
}

/** Sends a command through a worker's engine, as any client would. */
export function send(engine: Hephaestus, instance: SimulatedInstance, command: Command, gifts: Gifts): Promise<Json> {
  const { id: target, key, workflow } = instance;
  const { id, type } = command;
  switch (type) {
    case "start":
      return engine.start(workflow.name, gifts.input(instance), { key, id }).then(({ run }) => ({ run }));
    case "restart":
      return engine.restart(target, { id }).then(({ run }) => ({ run }));
    case "event": {
      const payload = gifts.payload(command.event, mixText(2, id) % 1_000);
      return engine.resume(target, command.event, payload, {
        id,
        ...(command.step === undefined ? {} : { step: command.step }),
      });
    }
    case "schedule": {
      const { step, event, delayMs } = command;
      return engine.scheduleResume(target, step, { milliseconds: delayMs }, { id, event }).then(() => null);
    }
    case "get":
      return engine.get(target) as Promise<unknown> as Promise<Json>;
    case "history":
      return engine.history(target).then((entries) => entries.length);
    case "list":
      return engine.list().then(({ items }) => items.map(({ id: listed, status }) => ({ id: listed, status })));
    case "result":
      return engine.result(target).then(() => null);
    default:
      return engine[type](target, { id }).then(() => null);
  }
}
