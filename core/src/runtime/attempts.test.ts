import { describe, expect, it } from "vitest";
import { HephaestusError } from "../definition/errors.ts";
import { type } from "../definition/schema.ts";
import { defineStep, done } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { createHephaestus } from "./hephaestus.ts";
import { toStoredError } from "./stored-error.ts";

const any = type<unknown>();

describe("attempts and the run that they belong to", () => {
  it("what the code is given can be taken apart, copied and wrapped, also the signal that is made when looked at", async () => {
    const seen: unknown[] = [];
    const step = defineStep({
      name: "step",
      run: async (context) => {
        const { signal, checkpoint } = context;
        const copy = { ...context };
        seen.push(
          Object.keys(context).includes("signal"),
          copy.signal === signal,
          new Proxy(context, {}).signal === signal,
        );
        seen.push((Object.create(context) as typeof context).signal === signal, signal.aborted);
        return checkpoint("made", () => 7);
      },
    });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      start: step,
      output: [step],
      transitions: ({ on }) => [on(step, { done: done })],
    });
    const started = await createHephaestus({ workflows: [flow] })
      .for(flow)
      .start({});
    expect(await started.result()).toEqual({ step: 7 });
    expect(seen).toEqual([true, true, true, true, false]);
  });

  it("what an attempt of a past run tells late is not taken for the next run's attempt", async () => {
    const ends: ((value: string) => void)[] = [];
    const deaf = defineStep({ name: "deaf", run: () => new Promise<string>((resolve) => ends.push(resolve)) });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      unique: { key: "k" },
      start: deaf,
      output: [deaf],
      transitions: ({ on }) => [on(deaf, { done: done })],
    });
    const clock = virtualClock();
    const orders = createHephaestus({ workflows: [flow], clock }).for(flow);
    await orders.start("a", {});
    await clock.settle();
    // Whoever starts the next run at once finds the same driver.
    let again: Promise<unknown> | undefined;
    orders.subscribe("a", ({ status }) => {
      if (status === "cancelled") again = orders.start("a", {});
    });
    await orders.cancel("a");
    await clock.advance(10_000);
    await again;
    await clock.settle();
    ends[0]?.("of run 1");
    await clock.settle();
    expect((await orders.get("a")).status).toBe("running");
    ends[1]?.("of run 2");
    await clock.settle();
    expect(await orders.result("a")).toEqual({ deaf: "of run 2" });
  });

  it("a step whose choice throws has had its effect, and is compensated", async () => {
    const undone: unknown[] = [];
    const charge = defineStep({ name: "charge", run: () => 7, compensate: ({ result }) => undone.push(result) });
    const other = defineStep({ name: "other", run: () => 7 });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      unique: { key: "k" },
      start: charge,
      transitions: ({ on, choose }) => [
        on(charge, {
          done: choose([other, done], () => {
            throw new Error("no");
          }),
        }),
        on(other, { done: done }),
      ],
    });
    const clock = virtualClock();
    const orders = createHephaestus({ workflows: [flow], clock }).for(flow);
    await orders.start("a", {});
    await clock.settle();
    expect((await orders.get("a")).status).toBe("failed");
    expect(undone).toEqual([7]);
  });

  it("a pause holds back the steps that have not begun", async () => {
    const ran: string[] = [];
    let end: (() => void) | undefined;
    const slow = defineStep({
      name: "slow",
      run: () => {
        ran.push("slow");
        return new Promise<void>((r) => {
          end = r;
        });
      },
    });
    const second = defineStep({
      name: "second",
      run: () => {
        ran.push("second");
      },
    });
    const flow = defineWorkflow({
      name: "flow",
      input: any,
      unique: { key: "k" },
      start: [slow, second],
      transitions: ({ on }) => [on(slow, { done: done }), on(second, { done: done })],
    });
    const clock = virtualClock();
    const orders = createHephaestus({ workflows: [flow], clock, local: { concurrency: 1 } }).for(flow);
    await orders.start("a", {});
    await clock.settle();
    await orders.pause("a");
    end?.();
    await clock.settle();
    expect(ran).toEqual(["slow"]);
    await orders.unpause("a");
    await clock.settle();
    expect(ran).toEqual(["slow", "second"]);
  });

  it("what is stored of an error is JSON, whatever its details hold", () => {
    const stored = toStoredError(new HephaestusError("STEP_FAILED", "x", { big: 1n, run: () => {} }));
    expect(() => JSON.stringify(stored)).not.toThrow();
  });
});
