import type { Clock } from "../../runtime/clock.ts";
import type { Life, Parked } from "./scheduler.ts";
import { delayOf, guard, type World } from "./world.ts";

/**
 * The clock of one life of a worker. Like a machine's it may be wrong and may jump, while its timers run by the time
 * that passes: after a jump they ring too late or too early by the clock.
 */
export function clockPort(world: World, life: Life): Clock {
  const { scheduler, faults, offsets, latest } = world;
  const { worker } = life;

  function now(): number {
    const shown = scheduler.now + (offsets[worker] ?? 0);
    if (shown > (latest[worker] ?? 0)) latest[worker] = shown;
    return shown;
  }

  return {
    now,
    schedule(at, callback) {
      if (!life.alive) return () => {};
      const nth = faults.touch(life, "timer");
      const fault = faults.strike(life, "timer", nth);
      const late = fault?.kind === "stall-before" ? fault.ms : 0;
      const wait = Math.max(0, at - now()) + delayOf(world, life, "timer", nth) + late;
      // By the world's time: the worker's own may be far behind it.
      if (late > 0) world.stalledUntil = Math.max(world.stalledUntil, scheduler.now + wait);
      const item: Parked = scheduler.park({
        life,
        port: "timer",
        nth,
        outside: false,
        readyAt: scheduler.now + wait,
        run() {
          switch (fault?.kind) {
            case "crash-before":
              return world.crash(life, fault.ms);
            case "close":
              world.close(life, fault.ms);
              break;
            case "freeze":
              life.frozenUntil = scheduler.now + fault.ms;
              break;
            case "clock-jump":
              offsets[worker] = (offsets[worker] ?? 0) + fault.ms;
              break;
          }
          guard(world, callback);
        },
      });
      return () => scheduler.remove(item);
    },
  };
}
