import {
  type AttemptInput,
  type AttemptReport,
  type Connectors,
  HephaestusError,
  makeAborter,
  type Registry,
  runAttempt,
  systemClock,
  systemRandom,
} from "@hephaestus/core";
import { type AttemptToken, type ObjectApi, type ObjectNamespace, objectOf } from "./object-api.ts";
import type { StepMessage, Timing } from "./options.ts";
import { callObject, fromWire, type Wire } from "./wire.ts";

export interface ConsumerPorts {
  readonly objects: ObjectNamespace;
  readonly registry: Registry;
  readonly connectors: Connectors;
  readonly timing: Timing;
}

/**
 * Runs a batch of steps: grouped by instance, one claim, one report each. A message is acknowledged once its report is
 * recorded, or when its attempt is not wanted any more; nothing is ever thrown, or the whole batch would come again.
 */
export async function consumeSteps(batch: MessageBatch<StepMessage>, ports: ConsumerPorts): Promise<void> {
  const groups = new Map<string, Message<StepMessage>[]>();
  for (const message of batch.messages) {
    if (!isStepMessage(message.body)) {
      // Nobody can ever run it; the queue's dead letters are for what should have been.
      console.error("hephaestus: not a step message", message.id);
      message.ack();
      continue;
    }
    const key = `${message.body.run} ${message.body.object}`;
    groups.set(key, [...(groups.get(key) ?? []), message]);
  }
  await Promise.all([...groups.values()].map((messages) => consumeGroup(messages, ports)));
}

function isStepMessage(body: unknown): body is StepMessage {
  const { object, run, step, attempt } = (body ?? {}) as Partial<Record<keyof StepMessage, unknown>>;
  return typeof object === "string" && typeof step === "string" && Number.isInteger(run) && Number.isInteger(attempt);
}

async function consumeGroup(messages: readonly Message<StepMessage>[], ports: ConsumerPorts): Promise<void> {
  const { object, run } = (messages[0] as Message<StepMessage>).body;
  const tokens = messages.map(({ body: { step, attempt } }) => ({ run, step, attempt }));
  const { objects, registry } = ports;
  const call: Call = async (use) => fromWire(await callObject(() => objectOf(objects, object), use));
  try {
    const inputs = await call((stub) => stub.claim(object, tokens, registry.definitions));
    const claimed = tokens.flatMap((token, index) => {
      const input = inputs[index];
      return input ? [{ token, input }] : [];
    });
    if (claimed.length > 0) {
      const reports = await runClaimed(claimed, call, object, ports);
      await call((stub) => stub.report(object, run, reports));
    }
    for (const message of messages) message.ack();
  } catch (error) {
    console.error("hephaestus: queue consumer", object, error);
    for (const message of messages) message.retry();
  }
}

type Call = <T>(use: (object: ObjectApi) => Promise<Wire<T>>) => Promise<T>;

interface Claimed {
  readonly token: AttemptToken;
  readonly input: AttemptInput;
}

/** Runs what was claimed, all at once, and keeps the claims alive meanwhile. */
async function runClaimed(
  claimed: readonly Claimed[],
  call: Call,
  object: string,
  ports: ConsumerPorts,
): Promise<AttemptReport[]> {
  const { registry, connectors, timing } = ports;
  const open = new Map(claimed.map((one) => [one, makeAborter()]));
  const beat = setInterval(() => {
    const running = [...open];
    const tokens = running.map(([{ token }]) => token);
    call((stub) => stub.heartbeat(object, tokens))
      .then((wanted) =>
        running.forEach(([, aborter], index) => {
          if (!wanted[index]) aborter.abort(new HephaestusError("CANCELLED", `the attempt is not wanted any more`));
        }),
      )
      .catch((error: unknown) => console.error("hephaestus: heartbeat", object, error));
  }, timing.leaseMs / 3);
  try {
    const runs = [...open].map(async ([one, aborter]) => {
      const { input, token } = one;
      const definition = registry.get(input.workflow, input.version).steps.get(input.step);
      if (definition === undefined) throw new HephaestusError("UNKNOWN_STEP", `there is no step ${input.step}`);
      const report = await runAttempt(definition, input, {
        clock: systemClock,
        random: systemRandom,
        connectors,
        aborter,
        async saveCheckpoint(name, value) {
          const answer = await call((stub) => stub.checkpoint(object, token, name, value));
          if (answer === "ignored")
            throw new HephaestusError("CANCELLED", "the attempt is not the current one any more");
        },
      });
      open.delete(one);
      return report;
    });
    return await Promise.all(runs);
  } finally {
    clearInterval(beat);
  }
}
