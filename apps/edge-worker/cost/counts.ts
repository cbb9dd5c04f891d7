import type { Shape } from "./workflows.ts";

/** What one workflow uses of the platform, beside the calls of whoever starts it. Held to by counts.workerd.test.ts. */
export interface Counts {
  /** Rows written in the object: records, and each move of the alarm. */
  readonly objectRows: number;
  /** Calls of the object, alarms included. */
  readonly objectRequests: number;
  /** Rows written in D1. */
  readonly indexRows: number;
  readonly messages: number;
  /** Runs of the queue's consumer. */
  readonly batches: number;
}

export const COUNTS: Readonly<Record<Shape, Counts>> = {
  "three inline steps": { objectRows: 6, objectRequests: 1, indexRows: 4, messages: 0, batches: 0 },
  "ten inline steps": { objectRows: 13, objectRequests: 1, indexRows: 4, messages: 0, batches: 0 },
  "a step, an event that is waited for, a step": {
    objectRows: 8,
    objectRequests: 2,
    indexRows: 6,
    messages: 0,
    batches: 0,
  },
  "a step, a timer, a step": { objectRows: 8, objectRequests: 2, indexRows: 6, messages: 0, batches: 0 },
  "a step, one on the queue, a step": { objectRows: 6, objectRequests: 3, indexRows: 4, messages: 1, batches: 1 },
  "a fan-out of 100, inline": { objectRows: 104, objectRequests: 1, indexRows: 4, messages: 0, batches: 0 },
  "a fan-out of 100, by the queue": { objectRows: 6, objectRequests: 3, indexRows: 4, messages: 100, batches: 1 },
};
