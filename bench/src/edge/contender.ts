import type { StepMessage } from "@hephaestus/durable-objects";

export interface Env {
  readonly INSTANCES: DurableObjectNamespace;
  readonly INDEXED: DurableObjectNamespace;
  readonly FLOOR: DurableObjectNamespace;
  readonly DB: D1Database;
  readonly STEPS: Queue<StepMessage>;
  readonly THREE_STEPS: Workflow<Params>;
  readonly FAN_OUT: Workflow<Params>;
  readonly EVENT: Workflow<Params>;
  readonly CHAIN: Workflow<Params>;
  readonly SLOW: Workflow<Params>;
  /** Where steps call that are to be seen from outside of the process. */
  readonly WITNESS_URL: string;
}

export interface Params {
  readonly id: string;
}

/** What each contender can do for one instance; the id is new each time. The end is rung for. */
export type Shape = "threeSteps" | "fanOut" | "fanOutQueue" | "chain" | "event" | "slow";

export interface Contender {
  start(shape: Shape, id: string): Promise<unknown>;
  /** Sends the event that an instance of the shape "event" waits for. */
  send?(id: string): Promise<unknown>;
  /** Asks how an instance of the shape "slow" stands. */
  touch?(id: string): Promise<unknown>;
}

export const FAN_OUT_WIDTH = 100;
export const CHAIN_LENGTH = 1_000;

/** Steps of the chain that are timed from outside: the clock of a worker stands still while it computes. */
export const MARKS: readonly number[] = [0, 99, CHAIN_LENGTH - 100, CHAIN_LENGTH - 1];

export async function tell(env: Env, path: string, key: string): Promise<void> {
  const response = await fetch(env.WITNESS_URL + path, { method: "POST", headers: { "idempotency-key": key } });
  await response.text();
}
