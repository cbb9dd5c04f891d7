import { HephaestusError } from "../definition/errors.ts";
import type { AnyStep, EventOf, StepContext, TIMEOUT_EVENT } from "../definition/step.ts";
import { type AnyVersions, isVersions } from "../definition/versions.ts";
import type { AnyWorkflow } from "../definition/workflow.ts";
import type { EventReply } from "../engine/commands.ts";
import type { RunStatus, StepStatus } from "../engine/state.ts";
import {
  createHephaestus,
  type Hephaestus,
  type HephaestusOptions,
  type StartedInstance,
} from "../runtime/hephaestus.ts";
import type { InstanceView, StepView } from "../runtime/instance-view.ts";
import { memoryStorage } from "../runtime/memory-storage.ts";
import { type AnyMock, type MockContext, type MockPlan, planOf, type ResultArgument } from "./mock.ts";
import { type Bustle, bustlingStorage, makeBustle } from "./quiet.ts";
import { type Goal, reach } from "./reach.ts";
import { seeded } from "./simulation/chance.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";
import { type StepCode, withCode } from "./with-code.ts";

export interface TestEngineOptions extends Omit<HephaestusOptions, "clock" | "runner"> {
  /** What steps do in the place of their own code; a step without a mock runs its own. */
  readonly mocks?: readonly AnyMock[];
  /** To be shared by several engines; its own unless given. */
  readonly clock?: VirtualClock;
  /**
   * How long the code of steps may take while nothing else goes on, in real milliseconds: then it is taken to hang, and
   * time goes on without it, to its timeout or to another timer. 2,000 unless said otherwise.
   */
  readonly patienceMs?: number;
}

/** An instance: what `start` answered, or its id. */
export type TestedInstance = string | { readonly id: string };

/** The events of a step that come from outside. */
type SentEvent<S extends AnyStep> = Exclude<EventOf<S>, typeof TIMEOUT_EVENT>;

/**
 * An engine for tests. Whatever of it is awaited lets time pass: it jumps to the next timer whenever no step runs and
 * nothing is being stored. It stands while nothing is awaited, so that a test can act before a timer does.
 */
export interface TestEngine extends Hephaestus {
  readonly clock: VirtualClock;
  /**
   * Sends a step's event as soon as the step waits for it.
   * @throws NotReachedError when it does not come to wait, and what `resume` throws
   */
  send<S extends AnyStep, const E extends SentEvent<S>>(
    instance: TestedInstance,
    step: S,
    event: E,
    ...payload: ResultArgument<S, E>
  ): Promise<EventReply>;
  /**
   * Waits until a step has this status: completed, unless said otherwise. A status that came and went counts.
   * @throws NotReachedError when the step or the run ended otherwise, or nothing is left that could happen
   */
  waitForStep(instance: TestedInstance, step: AnyStep, status?: Exclude<StepStatus, "idle">): Promise<StepView>;
  /**
   * Waits until a run has this status.
   * @throws NotReachedError when it ended otherwise, or nothing is left that could happen
   */
  waitForStatus(instance: TestedInstance, status: RunStatus): Promise<InstanceView>;
}

/** No timer is set beyond it: what the runner does by itself every so often is not what a test waits for. */
const FOR_EVER_MS = 1_000 * 365.25 * 86_400_000;
const LEASE_MS = 2 * FOR_EVER_MS;
const PATIENCE_MS = 2_000;
const SEED = 1;

/**
 * Makes an engine on memory with a clock that skips time, where steps can be mocked.
 * @example
 * const test = testEngine({ workflows: [orderFlow], mocks: [mock(charge).failsTimes(2).emits("charged", { paymentId: "p1" })] });
 * const order = await test.for(orderFlow).start("abc123", { items });
 * await test.send(order, review, "approved", { by: "Ann" });
 * await order.result();
 */
export function testEngine(options: TestEngineOptions): TestEngine {
  const { mocks = [], clock = virtualClock(), storage = memoryStorage(), workflows, patienceMs, ...rest } = options;
  const bustle = makeBustle(clock, patienceMs ?? PATIENCE_MS);
  const watched = watch(workflows, mocks, bustle);
  const engine = createHephaestus({
    random: seeded(SEED),
    ...rest,
    workflows: watched,
    clock,
    storage: bustlingStorage(storage, bustle),
    // Alone on its storage: it asks for nothing between the timers, so that time jumps from one to the next.
    local: { leaseMs: LEASE_MS, sweepMs: (rest.local?.leaseMs ?? LEASE_MS) / 2, ...rest.local },
  });

  let waiting = 0;
  let going: Promise<boolean> | undefined;
  /** For all who wait: time jumps once, and then all look. */
  function goOn(): Promise<boolean> {
    going ??= jump().finally(() => {
      going = undefined;
    });
    return going;
  }
  async function jump(): Promise<boolean> {
    await bustle.quiet();
    // They may have come to their goal meanwhile, and act before time goes on.
    if (waiting === 0) return true;
    const { next } = clock;
    if (next === undefined || next >= clock.now() + FOR_EVER_MS / 2) return false;
    return clock.ring();
  }

  const idOf = (instance: TestedInstance) => (typeof instance === "string" ? instance : instance.id);
  async function wait(instance: TestedInstance, goal: Goal): Promise<InstanceView> {
    waiting += 1;
    try {
      return await reach(engine, idOf(instance), goal, goOn);
    } finally {
      waiting -= 1;
    }
  }
  const ended = (id: string) => wait(id, { status: "ended" });
  const timed = <Output>(instance: StartedInstance<Output>): StartedInstance<Output> => ({
    ...instance,
    result: () => ended(instance.id).then(() => instance.result()),
  });

  return {
    ...engine,
    clock,
    for(workflow) {
      // The handle's methods, but that time passes while one waits for a result.
      const handle = engine.for(workflow);
      type Call = (...args: unknown[]) => Promise<StartedInstance<unknown>>;
      return {
        ...handle,
        start: (...args: unknown[]) => (handle.start as unknown as Call)(...args).then(timed),
        restart: (...args: unknown[]) => (handle.restart as unknown as Call)(...args).then(timed),
        result: (key: string) => ended(handle.idOf(key)).then(() => handle.result(key)),
      } as unknown as typeof handle;
    },
    start: (...args) => engine.start(...args).then(timed),
    restart: (...args) => engine.restart(...args).then(timed),
    result: (id) => ended(id).then(() => engine.result(id)),
    async send(instance, step, event, ...[payload]) {
      await wait(instance, { step: step.name, status: "waiting" });
      return engine.resume(idOf(instance), event, payload, { step: step.name });
    },
    async waitForStep(instance, step, status = "completed") {
      const { steps } = await wait(instance, { step: step.name, status });
      return steps[step.name] as StepView;
    },
    waitForStatus: (instance, status) => wait(instance, { status }),
    async close() {
      const closed = engine.close();
      // What never returns is waited for by the clock alone.
      let isClosed = false;
      void closed.finally(() => {
        isClosed = true;
      });
      while (!isClosed && (await clock.skip()));
      return closed;
    },
  };
}

/** The workflows with each step's code watched, and that of mocked steps replaced. */
function watch(workflows: HephaestusOptions["workflows"], mocks: readonly AnyMock[], { during }: Bustle) {
  const plans = new Map<AnyStep, MockPlan>();
  for (const mock of mocks) {
    if (plans.has(mock.step)) throw mockError(mock, "has two mocks");
    plans.set(mock.step, planOf(mock));
  }
  const unused = new Set(mocks);
  const codeOf = (step: AnyStep): StepCode => {
    const { run, compensate } = step.definition;
    const plan = plans.get(step);
    for (const mock of unused) if (mock.step === step) unused.delete(mock);
    type Context = StepContext<unknown, never[], never[]>;
    return {
      ...(run && {
        run: (context: Context) => {
          const code = plan?.next(context as unknown as MockContext<AnyStep>) ?? (run as (context: Context) => unknown);
          return during(
            () => code(context as never),
            () => context.signal,
          );
        },
      }),
      ...(compensate && {
        compensate: (context: Context) =>
          during(
            () => (plan?.compensation ?? compensate)(context as never),
            () => context.signal,
          ),
      }),
    } as StepCode;
  };
  const watched = workflows.map((one: AnyWorkflow | AnyVersions) =>
    isVersions(one)
      ? { ...one, versions: one.versions.map((version) => withCode(version, codeOf)) }
      : withCode(one, codeOf),
  );
  for (const mock of unused) throw mockError(mock, "is in none of the workflows");
  return watched;
}

function mockError({ step }: AnyMock, problem: string): HephaestusError {
  const { name } = step as AnyStep;
  return new HephaestusError("OPTION_INVALID", `step ${name} ${problem}`, { field: "mocks", step: name });
}
