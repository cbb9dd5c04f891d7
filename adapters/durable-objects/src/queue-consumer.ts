import {
  Aborter,
  type AttemptInput,
  type AttemptReport,
  HephaestusError,
  type Registry,
  runAttempt,
  systemClock,
  systemRandom,
} from "@hephaestus/core";
import { inBatches } from "./batches.ts";
import { type AttemptToken, type ObjectApi, objectOf } from "./object-api.ts";
import { objectAddress } from "./object-name.ts";
import { connectorsOf } from "./object-parts.ts";
import type { EdgeOptions, StepMessage, Timing } from "./options.ts";
import { callObject, fromWire, type Wire } from "./wire.ts";

export interface ConsumerPorts<Env> {
  readonly registry: Registry;
  readonly options: EdgeOptions<Env>;
  readonly env: Env;
  readonly timing: Timing;
}

/** What one report holds, in UTF-16 units of results: far below the 32 MiB of one call. */
const REPORT_LIMITS = {
  count: Number.POSITIVE_INFINITY,
  size: 4_000_000,
  sizeOf: (report: AttemptReport) => (report.type === "outcome" && report.result?.length) || 0,
};

/**
 * Runs a batch of steps: grouped by instance, one claim, one report each. A message is acknowledged once its report is
 * recorded, or when its attempt is not wanted any more; nothing is ever thrown, or the whole batch would come again.
 */
export async function consumeSteps<Env>(batch: MessageBatch<StepMessage>, ports: ConsumerPorts<Env>): Promise<void> {
  const groups = new Map<string, Message<StepMessage>[]>();
  for (const message of batch.messages) {
    if (!isStepMessage(message.body)) {
      // Nobody can ever run it: it goes where the queue's dead letters go.
      console.error("hephaestus: not a step message", message.id);
      message.retry();
      continue;
    }
    const key = `${message.body.run} ${message.body.object}`;
    const group = groups.get(key);
    if (group) group.push(message);
    else groups.set(key, [message]);
  }
  await Promise.all([...groups.values()].map((messages) => consumeGroup(messages, ports)));
}

export function isStepMessage(body: unknown): body is StepMessage {
  const { object, run, step, attempt } = (body ?? {}) as Partial<Record<keyof StepMessage, unknown>>;
  return typeof object === "string" && typeof step === "string" && Number.isInteger(run) && Number.isInteger(attempt);
}

async function consumeGroup<Env>(messages: readonly Message<StepMessage>[], ports: ConsumerPorts<Env>): Promise<void> {
  const { object, run } = (messages[0] as Message<StepMessage>).body;
  const { options, env, registry } = ports;
  const { namespace } = objectAddress(object);
  try {
    const { objects } = options.bindings(env, namespace);
    const call: Call = async (use) => fromWire(await callObject(() => objectOf(objects, object), use));
    let tokens: readonly AttemptToken[] = messages.map(({ body: { step, attempt } }) => ({ run, step, attempt }));
    while (tokens.length > 0) {
      const asked = tokens;
      const inputs = await call((stub) => stub.claim(asked, registry.definitions));
      const claimed = asked.flatMap((token, index) => {
        const input = inputs[index];
        return typeof input === "object" ? [{ token, input }] : [];
      });
      const reports = await runClaimed(claimed, call, ports, namespace);
      // Ordinarily one.
      for (const part of inBatches(reports, REPORT_LIMITS)) await call((stub) => stub.report(run, part));
      tokens = asked.filter((_, index) => inputs[index] === "later");
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
async function runClaimed<Env>(
  claimed: readonly Claimed[],
  call: Call,
  { registry, options, env, timing }: ConsumerPorts<Env>,
  namespace: string,
): Promise<AttemptReport[]> {
  const connectors = connectorsOf(options, env, namespace);
  const open = new Map(claimed.map((one) => [one, new Aborter()]));
  const beat = setInterval(() => {
    const running = [...open];
    const tokens = running.map(([{ token }]) => token);
    call((stub) => stub.heartbeat(tokens))
      .then((wanted) =>
        running.forEach(([, aborter], index) => {
          if (!wanted[index]) aborter.abort(new HephaestusError("CANCELLED", `the attempt is not wanted any more`));
        }),
      )
      .catch((error: unknown) => console.error("hephaestus: heartbeat", error));
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
          const answer = await call((stub) => stub.checkpoint(token, name, value));
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
