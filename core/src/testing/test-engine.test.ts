import { describe, expect, it } from "vitest";
import { type } from "../definition/schema.ts";
import { defineStep, done, emit, type StepContext, wait, waitForEvent } from "../definition/step.ts";
import { defineWorkflow } from "../definition/workflow.ts";
import { mock, testEngine } from "./index.ts";

interface Order {
  readonly total: number;
}

const world = { charged: 0, refunded: 0 };
const charge = defineStep({
  name: "charge",
  events: ["charged", "refused"],
  retry: { maxAttempts: 3, initial: { hours: 1 } },
  timeout: { minutes: 1 },
  run: ({ input }: StepContext<Order>) => {
    world.charged += 1;
    return input.total > 0 ? emit("charged", { paymentId: `p${input.total}` }) : emit("refused");
  },
  compensate: () => {
    world.refunded += 1;
  },
});
const coolOff = wait({ name: "cool_off", for: { days: 14 } });
const review = waitForEvent({
  name: "review",
  events: { approved: type<{ by: string }>(), rejected: type<undefined>() },
  timeout: { days: 2 },
});
const ship = defineStep({
  name: "ship",
  needs: [charge],
  run: ({ results }) => ({ label: results.charge?.paymentId }),
});
const orderFlow = defineWorkflow({
  name: "order_flow",
  input: type<Order>(),
  unique: { key: "orderid" },
  start: charge,
  transitions: ({ on }) => [
    on(charge, { charged: coolOff, refused: done }),
    on(coolOff, { done: review }),
    on(review, { approved: ship, rejected: done, timeout: done }),
    on(ship, { done }),
  ],
  output: [ship],
});

describe("a mocked step", () => {
  it("ends with what its mock says, and its own code does not run", async () => {
    world.charged = 0;
    const charging = mock(charge).emits("charged", { paymentId: "mocked" });
    const test = testEngine({ workflows: [orderFlow], mocks: [charging] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    await test.send(order, review, "approved", { by: "Ann" });
    expect(await order.result()).toEqual({ ship: { label: "mocked" } });
    expect(world.charged).toBe(0);
    expect(charging.calls.map(({ input, attempt }) => [input, attempt])).toEqual([[{ total: 3 }, 1]]);
  });

  it("fails so many times, and then does what is said next: its own code where nothing is", async () => {
    world.charged = 0;
    const charging = mock(charge).failsTimes(2, new Error("down"));
    const test = testEngine({ workflows: [orderFlow], mocks: [charging] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    const { attempt, failures, error } = await test.waitForStep(order, charge);
    expect({ attempt, failures, message: error?.message }).toEqual({ attempt: 3, failures: 2, message: "down" });
    expect([charging.calls.length, world.charged]).toEqual([3, 1]);
    // Counted for each instance apart.
    const other = await test.for(orderFlow).start("2", { total: 3 });
    expect(await test.waitForStep(other, charge)).toMatchObject({ failures: 2 });
  });

  it("that never returns times out, though nothing takes time", async () => {
    const test = testEngine({ workflows: [orderFlow], mocks: [mock(charge).neverReturns()] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    const view = await test.waitForStatus(order, "failed");
    expect(view.error).toMatchObject({ code: "STEP_TIMEOUT" });
    expect(view.steps.charge).toMatchObject({ failures: 3 });
  });

  it("runs a function of the test, and its compensation too", async () => {
    world.refunded = 0;
    const undone: unknown[] = [];
    const test = testEngine({
      workflows: [orderFlow],
      mocks: [
        mock(charge)
          .runs(({ input }) => (input.total > 5 ? emit("charged", { paymentId: "big" }) : emit("refused")))
          .compensates(({ result }) => undone.push(result)),
        mock(ship).fails(),
      ],
    });
    const small = await test.for(orderFlow).start("small", { total: 3 });
    expect(await small.result()).toEqual({});
    const big = await test.for(orderFlow).start("big", { total: 6 });
    await test.send(big, review, "approved", { by: "Ann" });
    await expect(big.result()).rejects.toMatchObject({ code: "RUN_FAILED", details: { step: "ship" } });
    expect([undone, world.refunded]).toEqual([[{ paymentId: "big" }], 0]);
  });

  it("is refused where it means nothing", () => {
    const refused = (make: () => unknown) => expect(make).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    refused(() => mock(review));
    refused(() => mock(coolOff));
    refused(() => mock(ship).compensates(() => {}));
    refused(() => mock(ship).fails().returns({ label: "x" }));
    const foreign = defineStep({ name: "ship", run: () => 1 });
    refused(() => testEngine({ workflows: [orderFlow], mocks: [mock(foreign)] }));
    refused(() => testEngine({ workflows: [orderFlow], mocks: [mock(ship), mock(ship)] }));
  });
});

describe("time", () => {
  it("is skipped while a test waits, and stands while it does not", async () => {
    const test = testEngine({ workflows: [orderFlow] });
    const begun = test.clock.now();
    const order = await test.for(orderFlow).start("1", { total: 3 });
    await test.waitForStep(order, review, "waiting");
    const days = () => (test.clock.now() - begun) / 86_400_000;
    expect(days()).toBe(14);
    // Were the clock to go on by itself, the review would be over.
    for (let turn = 0; turn < 20; turn++) await test.clock.settle();
    expect(days()).toBe(14);
    expect((await order.get()).status).toBe("waiting");
    await order.resume("approved", { by: "Ann" });
    await order.result();
    expect(days()).toBe(14);
  });

  it("goes on to a timeout where no event is sent", async () => {
    const test = testEngine({ workflows: [orderFlow] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    expect(await order.result()).toEqual({});
    expect((await order.get()).steps.review).toMatchObject({ event: "timeout" });
  });

  it("stands while a step runs, however long it takes", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = mock(charge).runs(() => gate.promise.then(() => emit("charged", { paymentId: "late" })));
    const test = testEngine({ workflows: [orderFlow], mocks: [slow] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    const result = order.result();
    await test.waitForStep(order, charge, "active");
    for (let turn = 0; turn < 20; turn++) await test.clock.settle();
    expect((await order.get()).steps.charge).toMatchObject({ status: "active", failures: 0 });
    gate.resolve();
    await test.send(order, review, "approved", { by: "Ann" });
    expect(await result).toEqual({ ship: { label: "late" } });
  });

  it("goes on when a step is aborted that does not heed it", async () => {
    const deaf = mock(charge).runs(() => new Promise<never>(() => {}));
    const test = testEngine({ workflows: [orderFlow], mocks: [deaf] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    await test.waitForStep(order, charge, "active");
    await order.cancel();
    // The time that aborted attempts are given has to pass.
    await test.waitForStatus(order, "cancelled");
  });

  it("jumps once for all who wait: a short timer fires before a long one, and who waits for it acts first", async () => {
    const test = testEngine({ workflows: [orderFlow] });
    const [one, two] = await Promise.all([
      test.for(orderFlow).start("1", { total: 1 }),
      test.for(orderFlow).start("2", { total: 2 }),
    ]);
    const results = Promise.all([one.result(), two.result()]);
    await test.send(one, review, "approved", { by: "Ann" });
    await test.send(two, review, "rejected");
    expect(await results).toEqual([{ ship: { label: "p1" } }, {}]);
  });

  it("is a century in a few jumps, with many instances", async () => {
    const age = wait({ name: "age", for: { days: 36_000 } });
    const flow = defineWorkflow({
      name: "aging",
      input: type<undefined>(),
      start: age,
      transitions: ({ on }) => [on(age, { done })],
    });
    const test = testEngine({ workflows: [flow] });
    const all = await Promise.all(Array.from({ length: 150 }, () => test.for(flow).start(undefined)));
    await Promise.all(all.map((one) => one.result()));
  });
});

describe("waiting", () => {
  it("says clearly that the run ended otherwise, and why", async () => {
    const test = testEngine({ workflows: [orderFlow], mocks: [mock(ship).fails(new Error("no labels"))] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    await test.send(order, review, "approved", { by: "Ann" });
    const error = await test.waitForStep(order, ship).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "NOT_REACHED",
      message: "order_flow/orderid::1: not step ship completed, since the step is failed",
    });
    await expect(test.waitForStatus(order, "completed")).rejects.toMatchObject({
      code: "NOT_REACHED",
      message: "order_flow/orderid::1: not completed, since the run is failed at ship: no labels",
      details: { status: "failed", step: "ship", steps: { ship: "failed" } },
      cause: { message: "no labels" },
    });
  });

  it("says that a step was skipped, without waiting for the end", async () => {
    const test = testEngine({ workflows: [orderFlow] });
    const order = await test.for(orderFlow).start("1", { total: 0 });
    await expect(test.send(order, review, "approved", { by: "Ann" })).rejects.toMatchObject({ code: "NOT_REACHED" });
  });

  it("says that nothing is left that could happen, and names what is open", async () => {
    const open = waitForEvent({ name: "open", events: { go: type<undefined>() } });
    const flow = defineWorkflow({
      name: "open_end",
      input: type<undefined>(),
      start: open,
      transitions: ({ on }) => [on(open, { go: done })],
    });
    const test = testEngine({ workflows: [flow] });
    const one = await test.for(flow).start(undefined);
    await expect(one.result()).rejects.toMatchObject({
      code: "NOT_REACHED",
      message: expect.stringContaining("the run is waiting and nothing comes due: open is waiting"),
    });
    await one.resume("go");
    await one.result();
  });

  it("sees a status that came and went", async () => {
    const test = testEngine({ workflows: [orderFlow], mocks: [mock(ship).fails()] });
    const order = await test.for(orderFlow).start("1", { total: 3 });
    const seen = test.waitForStatus(order, "compensating");
    await test.send(order, review, "approved", { by: "Ann" });
    await seen;
  });

  it("tells of an instance that there is not", async () => {
    const test = testEngine({ workflows: [orderFlow] });
    await expect(test.waitForStatus("nobody", "completed")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });
});

it("the same test runs the same way again, ids included", async () => {
  const plain = defineWorkflow({
    name: "plain",
    input: type<Order>(),
    start: charge,
    transitions: ({ on }) => [on(charge, { charged: done, refused: done })],
  });
  const ids = async () => {
    const test = testEngine({ workflows: [plain] });
    return [await test.for(plain).start({ total: 1 }), await test.for(plain).start({ total: 1 })].map(({ id }) => id);
  };
  expect(await ids()).toEqual(await ids());
});

it("closes though a step never returns", async () => {
  const test = testEngine({ workflows: [orderFlow], mocks: [mock(charge).neverReturns()] });
  const order = await test.for(orderFlow).start("1", { total: 3 });
  await test.waitForStep(order, charge, "active");
  await test.close();
  await expect(order.pause()).rejects.toMatchObject({ code: "CLOSED" });
});

describe("code that hangs by itself", () => {
  const hang = defineStep({
    name: "hang",
    timeout: { minutes: 10 },
    retry: { maxAttempts: 2 },
    run: () => new Promise<void>(() => {}),
  });
  const stuck = defineStep({ name: "stuck", run: () => new Promise<void>(() => {}) });
  const flowOf = (step: typeof hang | typeof stuck) =>
    defineWorkflow({
      name: "hangs",
      input: type<undefined>(),
      start: step,
      transitions: ({ on }) => [on(step, { done })],
    });

  it("runs into its timeout, on every attempt", async () => {
    const test = testEngine({ workflows: [flowOf(hang)], patienceMs: 40 });
    const one = await test.for(flowOf(hang)).start(undefined);
    await expect(one.result()).rejects.toMatchObject({ code: "RUN_FAILED", cause: { code: "STEP_TIMEOUT" } });
    const { steps, createdAt, endedAt = 0 } = await one.get();
    expect(steps.hang?.failures).toBe(2);
    expect(endedAt - createdAt).toBeGreaterThanOrEqual(2 * 600_000);
  });

  it("without a timeout is named by who waits for it", async () => {
    const test = testEngine({ workflows: [flowOf(stuck)], patienceMs: 40 });
    const one = await test.for(flowOf(stuck)).start(undefined);
    await expect(one.result()).rejects.toMatchObject({
      code: "NOT_REACHED",
      message: expect.stringContaining("stuck is active: its code has not returned"),
    });
  });

  it("is waited for as long as it does something", async () => {
    const busy = defineStep({
      name: "busy",
      timeout: { minutes: 10 },
      run: async ({ attempt, checkpoint }) => {
        // Each is a call of the storage, in a turn of its own.
        for (let n = 0; n < 30; n++) {
          await new Promise((resolve) => setTimeout(resolve, 4));
          await checkpoint(`n${n}`, () => n);
        }
        return attempt;
      },
    });
    const flow = defineWorkflow({
      name: "busy_flow",
      input: type<undefined>(),
      start: busy,
      transitions: ({ on }) => [on(busy, { done })],
      output: [busy],
    });
    const test = testEngine({ workflows: [flow], patienceMs: 80 });
    expect(await (await test.for(flow).start(undefined)).result()).toEqual({ busy: 1 });
  });
});
