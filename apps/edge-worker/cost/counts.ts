import type { Shape } from "./workflows.ts";

/** What one workflow uses of the platform, beside the calls of whoever starts it. */
export interface Used {
  /** Rows written in the object: what its turns have committed, and each move of the alarm. */
  readonly objectRows: number;
  /** Calls of the object, alarms included. */
  readonly objectRequests: number;
  /** Rows written in D1. */
  readonly indexRows: number;
  readonly messages: number;
  /** Runs of the queue's consumer. */
  readonly batches: number;
}

/** Held to by counts.workerd.test.ts. */
export interface Counts {
  readonly withIndex: Used;
  readonly withoutIndex: Used;
}

const used = (objectRows: number, objectRequests: number, indexRows: number, messages = 0, batches = 0): Used => ({
  objectRows,
  objectRequests,
  indexRows,
  messages,
  batches,
});

export const COUNTS: Readonly<Record<Shape, Counts>> = {
  "three inline steps": { withIndex: used(2, 2, 4), withoutIndex: used(2, 1, 0) },
  "three inline steps, each with a call": { withIndex: used(5, 2, 4), withoutIndex: used(5, 2, 0) },
  "ten inline steps": { withIndex: used(2, 2, 4), withoutIndex: used(2, 1, 0) },
  "ten inline steps, each with a call": { withIndex: used(12, 2, 4), withoutIndex: used(12, 2, 0) },
  "a step, an event that is waited for, a step": { withIndex: used(4, 4, 6), withoutIndex: used(4, 2, 0) },
  "a step, a timer, a step": { withIndex: used(6, 3, 6), withoutIndex: used(6, 3, 0) },
  "a step, one on the queue, a step": { withIndex: used(4, 4, 4, 1, 1), withoutIndex: used(5, 4, 0, 1, 1) },
  "a fan-out of 100, inline": { withIndex: used(4, 2, 4), withoutIndex: used(5, 2, 0) },
  "a fan-out of 100, by the queue": { withIndex: used(4, 4, 4, 100, 1), withoutIndex: used(5, 4, 0, 100, 1) },
};
