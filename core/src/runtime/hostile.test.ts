import { describe, expect, it } from "vitest";
import { keyed } from "../../test/stage.ts";
import { createHephaestus, defineStep, done, type StepContext, type, waitForEvent } from "../index.ts";

/* What code and callers should not do, and will. */

function engineOf(run: (context: StepContext<unknown>) => unknown, errors: unknown[] = []) {
  const step = defineStep({ name: "step", retry: { maxAttempts: 1 }, run });
  const flow = keyed("flow", { start: step, on: ({ on }) => [on(step, { done })] });
  return createHephaestus({ workflows: [flow], local: { onError: (error) => errors.push(error) } }).for(flow);
}

async function endOf(run: (context: StepContext<unknown>) => unknown) {
  const started = await engineOf(run).start("1", {});
  await started.result().catch(() => {});
  return started.get();
}

/** Throws whatever is asked of it. */
function unreadable(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("a step", () => {
  it("that throws what cannot be read fails", async () => {
    const withGetter = Object.defineProperty(new Error("hidden"), "message", {
      get() {
        throw new Error("not to be read");
      },
    });
    for (const thrown of [unreadable(), withGetter, new Error("outer", { cause: unreadable() })]) {
      const { status, error } = await endOf(() => {
        throw thrown;
      });
      expect([status, typeof error?.message]).toEqual(["failed", "string"]);
    }
  });

  it("runs the effect of a checkpoint once in an attempt too, but one that failed again", async () => {
    let effects = 0;
    const { steps } = await endOf(async ({ checkpoint }) => {
      const count = () => ++effects;
      const seen = [await checkpoint("a", count), await checkpoint("a", count)];
      const both = await Promise.all([checkpoint("b", count), checkpoint("b", count)]);
      await checkpoint("c", () => Promise.reject(new Error("not yet"))).catch(() => {});
      return [...seen, ...both, await checkpoint("c", count)];
    });
    expect(steps.step?.result).toEqual([1, 1, 2, 2, 3]);
  });
});

describe("a caller", () => {
  it("who listens with an async function that fails harms nobody", async () => {
    const errors: unknown[] = [];
    const flows = engineOf(() => 1, errors);
    const started = await flows.start("1", {});
    const failure = new Error("the listener's own");
    started.subscribe(async () => {
      throw failure;
    });
    await started.result();
    expect(errors).toContain(failure);
  });

  it("who waits for a result is told when the engine is closed", async () => {
    const hold = waitForEvent({ name: "hold", events: { go: type<undefined>() } });
    const flow = keyed("flow", { start: hold, on: ({ on }) => [on(hold, { go: done })] });
    const engine = createHephaestus({ workflows: [flow] });
    const started = await engine.for(flow).start("1", {});
    const told = [started.result(), engine.result(started.id)].map((result) =>
      expect(result).rejects.toMatchObject({ code: "CLOSED" }),
    );
    await started.get();
    await engine.close();
    await Promise.all(told);
  });

  it("who gives a text or a list for names and values, or a text for tags, is refused", async () => {
    const flows = engineOf(() => 1);
    for (const options of [{ tags: "vip" }, { metadata: "x" }, { metadata: [1] }, { telemetry: "x" }]) {
      const [field] = Object.keys(options);
      await expect(flows.start("1", {}, options as object)).rejects.toMatchObject({
        code: "OPTION_INVALID",
        details: { field },
      });
    }
  });
});
