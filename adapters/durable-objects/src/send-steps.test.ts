import { defineStep, defineWorkflow, done, makeRegistry, type } from "@hephaestus/core";
import { expect, it } from "vitest";
import type { StepMessage } from "./options.ts";
import { MESSAGE_BYTES_MAX, messageBytes, sendSteps, stepsForQueue } from "./send-steps.ts";

/** As the queue refuses them: https://developers.cloudflare.com/queues/platform/limits/ */
const LIMITS = { messages: 100, batchBytes: 256_000, messageBytes: 128_000 };

it("sends no batch that a queue refuses, and every message once, in order", async () => {
  const long = "\u{1f600}".repeat(4_000);
  const messages = Array.from({ length: 350 }, (_, n): StepMessage => {
    return { object: n % 7 === 0 ? long : "o", run: 1, step: `s${n}`, attempt: 1 };
  });
  const sent: StepMessage[][] = [];
  const bytesOf = (body: unknown) => new TextEncoder().encode(JSON.stringify(body)).length;
  await sendSteps(
    {
      async sendBatch(batch) {
        sent.push([...batch].map((message) => message.body));
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
    },
    messages,
  );
  expect(sent.flat()).toEqual(messages);
  for (const batch of sent) {
    expect(batch.length).toBeLessThanOrEqual(LIMITS.messages);
    expect(batch.reduce((sum, body) => sum + bytesOf(body) + 100, 0)).toBeLessThan(LIMITS.batchBytes);
  }
  expect(bytesOf(messages[0])).toBeLessThanOrEqual(messageBytes(messages[0] as StepMessage));
  expect(MESSAGE_BYTES_MAX).toBeLessThan(LIMITS.messageBytes);
});

it("what a step says is done; `auto` is the queue for the steps of a fan-out", () => {
  const step = <const Name extends string>(name: Name, execution?: "inline" | "queue" | "auto") =>
    defineStep({ name, run: () => {}, ...(execution ? { execution } : {}) });
  const [alone, queued, inline, left, right] = [
    step("alone"),
    step("queued", "queue"),
    step("inline", "inline"),
    step("left"),
    step("right", "auto"),
  ];
  const workflow = defineWorkflow({
    name: "w",
    input: type<unknown>(),
    start: alone,
    transitions: ({ on }) => [
      on(alone, { done: queued }),
      on(queued, { done: [left, right, inline] }),
      on(left, { done }),
      on(right, { done }),
      on(inline, { done }),
    ],
  });
  const code = makeRegistry([workflow]).get("w");
  expect([...stepsForQueue(code)].sort()).toEqual(["left", "queued", "right"]);
});
