/** The invariants that a simulation watches over. */
export const INVARIANTS = {
  "stale-commit": "a commit succeeds only on the revision that it was based on; revisions are consecutive",
  "commit-lost": "what a writer was told is committed is in the journal, as it was written",
  "end-final": "nothing follows an end but a new run, a retry, a cancel of what failed, or a tombstone",
  "recorded-once": "a step's result is recorded once a life, by its current attempt and as that attempt told it",
  "step-order": "a step goes forward through its phases, and its tokens and counts never go back",
  joins: "a step starts exactly when its join says so, and an end comes exactly when all is settled",
  events: "an accepted event is in the journal once, and is taken by at most one step, which may take it",
  commands: "a command takes effect once, however often it is sent, and is never refused to its own author",
  "answer-true": "what a client was told is so",
  "timer-early": "no timer fires early by the clock of the runner that commits it, and none of a paused run",
  retries: "attempts are repeated as the policy says, and no oftener",
  compensation: "effects are undone one by one, the last one first, and none is left out",
  "begun-once": "a token is begun once, and no step begins of which its runner knows that it is over",
  context: "a step's code is given what was recorded, the same on every attempt",
  header: "the row that queries and runners read says what the journal says, and when to look again",
  fold: "what is loaded equals what was live",
  editions: "nobody goes on with a run of which it has another edition of the code, until it is adopted",
  progress: "once faults stop, every run ends or rests with nothing to do but to wait for an event",
  answered: "every call is answered",
  crashed: "nothing breaks inside the runner",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** An invariant that did not hold. */
export class Violation extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

/** @throws Violation */
export function hold(condition: boolean, invariant: Invariant, message: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, message());
}
