import type { AnyWorkflow } from "../../definition/workflow.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Storage } from "../../runtime/storage.ts";

/** Something that is broken on purpose: a simulator that does not catch it proves nothing. */
export interface Canary {
  readonly name: string;
  /** What is broken, as one would find it in a real program. */
  readonly broken: string;
  readonly storage?: (storage: Storage) => Storage;
  readonly clock?: (clock: Clock) => Clock;
  readonly workflow?: (workflow: AnyWorkflow) => AnyWorkflow;
}
