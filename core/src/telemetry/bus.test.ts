import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { HANDLER_FAILURES_MAX, type HandlerFailure, type TelemetryBus, telemetryBus } from "./bus.ts";
import type { TelemetryEvent } from "./events.ts";

const facts = { workflow: "flow", version: 1, id: "i", run: 1, telemetry: undefined };

function stop(step: string, durationMs = 1): TelemetryEvent<"step:stop"> {
  return {
    name: "step:stop",
    measurements: { systemTime: 0, durationMs },
    metadata: { ...facts, step, attempt: 1, event: "done", transitionsTo: [] },
  };
}

const park: TelemetryEvent<"workflow:park"> = {
  name: "workflow:park",
  measurements: { systemTime: 0 },
  metadata: { ...facts, reason: "missing" },
};

/** A bus, and what a handler of it heard. */
function listening(attach: (bus: TelemetryBus, hear: (event: TelemetryEvent) => void) => unknown) {
  const bus = telemetryBus();
  const heard: string[] = [];
  attach(bus, ({ name }) => heard.push(name));
  bus.emit(stop("a"), park);
  return heard;
}

describe("what a handler hears", () => {
  it("is one event, a list, a group, or all", () => {
    expect(listening((bus, hear) => bus.attach("h", "step:stop", hear))).toEqual(["step:stop"]);
    expect(listening((bus, hear) => bus.attach("h", ["workflow:park", "step:start"], hear))).toEqual(["workflow:park"]);
    expect(listening((bus, hear) => bus.attach("h", "workflow:*", hear))).toEqual(["workflow:park"]);
    expect(listening((bus, hear) => bus.attach("h", "*", hear))).toEqual(["step:stop", "workflow:park"]);
    expect(listening((bus, hear) => bus.attach("h", ["*", "step:stop"], hear))).toEqual(["step:stop", "workflow:park"]);
  });

  it("is typed by what it asked for", () => {
    const bus = telemetryBus();
    bus.attach("one", "step:stop", (event) => expectTypeOf(event).toEqualTypeOf<TelemetryEvent<"step:stop">>());
    bus.attach("group", "engine:*", (event) => expectTypeOf(event.metadata.iteration).toEqualTypeOf<number>());
    // @ts-expect-error: there is no such event
    bus.attach("none", "step:stopped", () => {});
  });

  it("is what its filter lets through", () => {
    const bus = telemetryBus();
    const heard: string[] = [];
    bus.attach("slow", "step:stop", ({ metadata }) => heard.push(metadata.step), {
      filter: ({ measurements }) => (measurements.durationMs ?? 0) > 100,
    });
    bus.emit(stop("quick"), stop("slow", 200));
    expect(heard).toEqual(["slow"]);
  });

  it("ends when it is detached, by itself or by name", () => {
    const bus = telemetryBus();
    const heard: string[] = [];
    const detach = bus.attach("one", "*", () => heard.push("one"));
    bus.attach("two", "*", () => heard.push("two"));
    detach();
    expect([bus.detach("two"), bus.detach("two")]).toEqual([true, false]);
    bus.emit(park);
    expect(heard).toEqual([]);
    // The first one's answer is of the first one only.
    bus.attach("one", "*", () => heard.push("another"));
    detach();
    bus.emit(park);
    expect(heard).toEqual(["another"]);
  });

  it("does not include what comes after another handler detached it, nor before it was attached", () => {
    const bus = telemetryBus();
    const heard: string[] = [];
    bus.attach("first", "*", () => {
      heard.push("first");
      bus.detach("first");
      bus.detach("second");
      bus.attach("fourth", "*", () => heard.push("fourth"));
    });
    bus.attach("second", "*", () => heard.push("second"));
    bus.attach("third", "*", () => heard.push("third"));
    bus.emit(park);
    expect(heard).toEqual(["first", "third"]);
    bus.emit(park);
    expect(heard).toEqual(["first", "third", "third", "fourth"]);
  });
});

it("refuses a second handler of the same id", () => {
  const bus = telemetryBus();
  bus.attach("log", "*", () => {});
  expect(() => bus.attach("log", "step:stop", () => {})).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});

it("knows what somebody listens to", () => {
  const bus = telemetryBus();
  expect([bus.has(), bus.has("step:stop")]).toEqual([false, false]);
  const detach = bus.attach("h", "step:*", () => {});
  expect([bus.has(), bus.has("step:stop"), bus.has("workflow:park")]).toEqual([true, true, false]);
  detach();
  expect([bus.has(), bus.has("step:stop")]).toEqual([false, false]);
});

describe("a handler that fails", () => {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    [
      "answers a thenable that throws",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: it is the point.
        then: () => {
          throw new Error("no");
        },
      }),
    ],
  ] as const)("%s: the others are told, and it is detached after so many in a row", async (_how, handle) => {
    const failures: HandlerFailure[] = [];
    const bus = telemetryBus({ onHandlerError: (failure) => failures.push(failure) });
    const heard = vi.fn();
    bus.attach("bad", "*", handle);
    bus.attach("good", "*", heard);
    for (let times = 0; times < HANDLER_FAILURES_MAX + 3; times++) {
      bus.emit(park);
      await settle();
    }
    expect(heard).toHaveBeenCalledTimes(HANDLER_FAILURES_MAX + 3);
    expect(failures).toHaveLength(HANDLER_FAILURES_MAX);
    expect(failures.map(({ detached }) => detached).lastIndexOf(false)).toBe(HANDLER_FAILURES_MAX - 2);
    expect(failures.at(-1)).toMatchObject({ id: "bad", failures: HANDLER_FAILURES_MAX, detached: true, event: park });
    expect(bus.detach("bad")).toBe(false);
  });

  it("is kept when it works again in between", () => {
    const bus = telemetryBus();
    let turn = 0;
    bus.attach("shaky", "*", () => {
      turn += 1;
      if (turn % HANDLER_FAILURES_MAX !== 0) throw new Error("no");
    });
    for (let times = 0; times < 3 * HANDLER_FAILURES_MAX; times++) bus.emit(park);
    expect(turn).toBe(3 * HANDLER_FAILURES_MAX);
  });

  it("harms nothing when its filter fails, or who is told of it", async () => {
    const bus = telemetryBus({
      onHandlerError: async () => {
        throw new Error("this too");
      },
    });
    const thrower = telemetryBus({
      onHandlerError: () => {
        throw new Error("this too");
      },
    });
    for (const one of [bus, thrower]) {
      one.attach("bad", "*", () => {}, {
        filter: () => {
          throw new Error("no");
        },
      });
      expect(() => one.emit(park)).not.toThrow();
    }
    // An unhandled rejection would fail the run of the tests.
    await settle();
  });

  it("holds nobody up when it never answers", () => {
    const bus = telemetryBus();
    const heard = vi.fn();
    bus.attach("stuck", "*", () => new Promise(() => {}));
    bus.attach("good", "*", heard);
    bus.emit(park, stop("a"));
    expect(heard).toHaveBeenCalledTimes(2);
  });
});
