import { objectOf } from "./object-api.ts";
import { objectAddress } from "./object-name.ts";
import type { StepMessage } from "./options.ts";
import { type ConsumerPorts, isStepMessage } from "./queue-consumer.ts";
import { callObject, fromWire } from "./wire.ts";

/**
 * What the queue of steps could not deliver, be it that an object did not answer or that its consumers died. The
 * instance does not depend on it: its object sends anew what nobody came for. It is asked to look at once; what is no
 * message of ours is logged, which is the last that is seen of it.
 */
export async function handleDeadLetters<Env>(
  batch: MessageBatch<StepMessage>,
  { options, env }: ConsumerPorts<Env>,
): Promise<void> {
  const letters = batch.messages.map(async (message) => {
    const { body, id } = message;
    console.error("hephaestus: dead letter", id, JSON.stringify(body));
    try {
      if (isStepMessage(body)) {
        const { objects } = options.bindings(env, objectAddress(body.object).namespace);
        fromWire(
          await callObject(
            () => objectOf(objects, body.object),
            (stub) => stub.look(),
          ),
        );
      }
      message.ack();
    } catch (error) {
      console.error("hephaestus: dead letter", id, error);
      message.retry();
    }
  });
  await Promise.all(letters);
}
