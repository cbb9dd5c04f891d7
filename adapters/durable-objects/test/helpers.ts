import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { AttemptInput, AttemptReport, HephaestusError } from "@hephaestus/core";
import { beforeEach, expect, vi } from "vitest";
import { type AttemptToken, objectOf, type StepMessage, TIMING_DEFAULT } from "../src/index.ts";
import { fromWire, type Wire } from "../src/wire.ts";
import { closeGates, consumed, deployed, deployment, edge, index, lossy, timing, witnessed } from "./worker.ts";
import { writesOf } from "./write-counter.ts";

export const engine = edge.engine(env);
export const codeOf = (error: unknown) => (error as HephaestusError).code;
/** The steps that ran, in order, of the instances whose idempotency keys hold this text. */
export const runs = (key: string) => witnessed.filter((one) => one.key.includes(key)).map((one) => one.step);
export const stubOf = (id: string) => env.INSTANCES.getByName(id);

const TIMING = { ...TIMING_DEFAULT, ...timing };

/** Everything that tests can break is whole again before each of them. */
export function beWholeBeforeEach(): void {
  beforeEach(() => {
    witnessed.length = 0;
    consumed.length = 0;
    Object.assign(index, { failing: false, hanging: false, calls: 0 });
    deployment.broken = false;
    deployed.edge = undefined;
    Object.assign(lossy, { mode: "deliver", sent: [], batches: 0 });
    Object.assign(timing, TIMING);
    closeGates();
  });
}

/** Has the object's alarm ring now, in a fresh object. */
export async function ringAnew(id: string): Promise<boolean> {
  await evictDurableObject(stubOf(id)).catch(() => {});
  return runDurableObjectAlarm(stubOf(id));
}

/** Where an alarm is left over of an instance at rest, it rings for nothing: nothing is written, and none follows it. */
export async function expectNothingDue(id: string): Promise<void> {
  const { kv, alarms, sql } = writesOf(id);
  await ringAnew(id);
  expect(writesOf(id)).toMatchObject({ kv, alarms, sql });
  expect(await runDurableObjectAlarm(stubOf(id))).toBe(false);
}

/** Takes the object out of memory with what it has stored so far, whatever it is waiting for. */
export async function crash(id: string): Promise<void> {
  const dying = runInDurableObject(stubOf(id), async (_, context) => {
    await context.storage.sync();
    context.abort("crash");
  });
  await dying.catch(() => {});
}

/** A queue consumer by hand: what it claims it may report, or not. */
export function consumerOf(object: string, definitions = engine.registry.definitions) {
  const call = async <T>(wire: Promise<Wire<T>>) => fromWire(await wire);
  const stub = objectOf(env.INSTANCES, object);
  return {
    claim: (...messages: readonly StepMessage[]) => call(stub.claim(messages.map(tokenOf), definitions)),
    heartbeat: (...messages: readonly StepMessage[]) => call(stub.heartbeat(messages.map(tokenOf))),
    report: (...messages: readonly StepMessage[]) => call(stub.report(messages[0]?.run ?? 1, messages.map(successOf))),
    checkpoint: (message: StepMessage) => call(stub.checkpoint(tokenOf(message), "c", "1")),
  };
}

export const isClaimed = (answer: AttemptInput | "later" | undefined) => typeof answer === "object";

function tokenOf({ run, step, attempt }: StepMessage): AttemptToken {
  return { run, step, attempt };
}

function successOf({ run, step, attempt }: StepMessage): AttemptReport {
  return { type: "outcome", run, step, attempt, startedAt: Date.now(), event: "done" };
}

/** The messages of a step that were sent, first to last. */
export const sentOf = (step: string) => lossy.sent.filter((message) => message.step === step);

export const untilSent = (step: string, times = 1) =>
  vi.waitUntil(() => sentOf(step).length >= times, { timeout: 20_000, interval: 5 });
