import type { AnyWorkflow } from "@hephaestus/core";
import type { Observer } from "./observer.ts";
import { cancelled, chain, fanOut, flaky, inbox, resting, timers, together, trip, waits } from "./workflows.ts";
import type { World } from "./world.ts";

/** One instance in the harness's hands. */
export interface Player {
  readonly key: string;
  readonly id: string;
  /** Events that were sent, by their ids: each must be in the history once. */
  readonly sent: Map<string, string>;
  start(): Promise<void>;
  /** Sends an event, sometimes more than once; it counts once. */
  send(event: string): Promise<void>;
  cancel(): Promise<void>;
  /** Resolves once a step has been seen waiting, or past it. */
  waiting(step: string): Promise<void>;
  ended(): Promise<void>;
}

/** What is done with the instances of one workflow, and how they have to end. */
export interface Shape {
  readonly workflow: AnyWorkflow;
  play(player: Player): Promise<void>;
  readonly ends: "completed" | "failed" | "cancelled" | "waiting";
  /** The statuses that its steps end with, where it is not "completed". */
  readonly steps?: Readonly<Record<string, string>>;
  /** Steps whose effects are taken back. */
  readonly undone?: readonly string[];
}

async function startAndEnd(player: Player): Promise<void> {
  await player.start();
  await player.ended();
}

export const shapes: readonly Shape[] = [
  { workflow: chain, ends: "completed", play: startAndEnd },
  { workflow: fanOut, ends: "completed", play: startAndEnd },
  { workflow: together, ends: "completed", play: startAndEnd },
  {
    workflow: waits,
    ends: "completed",
    async play(player) {
      await player.start();
      await Promise.all([player.waiting("payment"), player.waiting("signature")]);
      await Promise.all([player.send("signed"), player.send("paid")]);
      await player.ended();
    },
  },
  {
    workflow: inbox,
    ends: "completed",
    async play(player) {
      await player.start();
      await player.send("signed");
      await player.send("paid");
      await player.ended();
    },
  },
  { workflow: timers, ends: "completed", play: startAndEnd },
  {
    workflow: trip,
    ends: "failed",
    steps: { pay: "failed" },
    undone: ["room", "flight"],
    play: startAndEnd,
  },
  {
    workflow: cancelled,
    ends: "cancelled",
    steps: { payment: "cancelled", deliver: "idle" },
    undone: ["room"],
    async play(player) {
      await player.start();
      await player.waiting("payment");
      await player.cancel();
      await player.ended();
    },
  },
  { workflow: flaky, ends: "completed", play: startAndEnd },
  {
    workflow: resting,
    ends: "waiting",
    steps: { payment: "waiting" },
    async play(player) {
      await player.start();
      await player.waiting("payment");
    },
  },
];

/** How often a command is sent, at least once: a redelivery must not count. */
const SENDS_MAX = 3;

export function makePlayer(shape: Shape, key: string, world: World, observer: Observer, random: () => number): Player {
  const { workflow } = shape;
  const id = `${workflow.name}/n::${key}`;
  const sent = new Map<string, string>();
  const isOver = (status: string | undefined) => ["completed", "failed", "cancelled", "skipped"].includes(status ?? "");
  return {
    key,
    id,
    sent,
    async start() {
      const options = { key, id: `start-${key}` };
      await world.call((client) => client.start(workflow.name, { n: Number(key) }, options));
      observer.watch(id);
    },
    async send(event) {
      const commandId = `${event}-${key}`;
      sent.set(commandId, event);
      const sends = 1 + Math.floor(random() * SENDS_MAX);
      const send = () => world.call((client) => client.resume(id, event, { id: commandId }, { id: commandId }));
      await Promise.all(Array.from({ length: sends }, send));
    },
    cancel: () => world.call((client) => client.cancel(id, { id: `cancel-${key}` })),
    waiting: (step) =>
      observer.until(
        id,
        ({ status, steps }) => steps.get(step) === "waiting" || isOver(steps.get(step)) || isOver(status),
      ),
    async ended() {
      await observer.until(id, ({ status }) => isOver(status));
      observer.forget(id);
    },
  };
}
