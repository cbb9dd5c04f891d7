import type { ErrorDetails } from "../definition/errors.ts";
import { isEnded } from "../engine/run-state.ts";
import type { RunStatus, StepStatus } from "../engine/state.ts";
import type { Hephaestus } from "../runtime/hephaestus.ts";
import type { InstanceView } from "../runtime/instance-view.ts";
import type { InstanceChange } from "../runtime/runner.ts";
import { fromStoredError } from "../runtime/stored-error.ts";

/** What is waited for: of the run itself, or of one of its steps. */
export type Goal = { readonly status: RunStatus | "ended" } | { readonly step: string; readonly status: StepStatus };

/** Lets time go on to the next thing that comes due. False: nothing is going on, and nothing will come due. */
export type GoOn = () => Promise<boolean>;

/** Thrown by what waits in a test: the step or the run ended otherwise, or nothing is left that could happen. */
export class NotReachedError extends Error {
  readonly code = "NOT_REACHED";
  /** The instance, what was wanted, its status and that of its steps. */
  readonly details: ErrorDetails;
  constructor(message: string, details: ErrorDetails, cause: unknown) {
    super(message, { cause });
    this.name = "NotReachedError";
    this.details = details;
  }
}

const SETTLED: ReadonlySet<StepStatus> = new Set(["completed", "skipped", "cancelled", "failed"]);

/**
 * Waits until an instance has come to its goal, as its commits tell; time goes on whenever nothing else does.
 * @throws NotReachedError when it ended without, or when nothing will bring it there
 */
export async function reach(engine: Hephaestus, id: string, goal: Goal, goOn: GoOn): Promise<InstanceView> {
  // A missing instance is told now, by its own error.
  await engine.get(id);
  let reached = false;
  let missed = false;
  let changed: () => void = () => {};
  const stop = engine.subscribe(id, (change) => {
    if (isReached(goal, change)) reached = true;
    else if (isMissed(goal, change)) missed = true;
    changed();
  });
  try {
    while (!reached) {
      // It may be missed for now only: a step that was skipped is reset by a retry.
      if (missed) {
        const view = await engine.get(id);
        missed = isMissed(goal, { status: view.status, steps: statusesOf(view) });
        if (missed && !reached) throw notReached(view, goal);
        continue;
      }
      const news = new Promise<true>((resolve) => {
        changed = () => resolve(true);
      });
      if (!(await Promise.race([news, goOn()])) && !reached && !missed) throw notReached(await engine.get(id), goal);
    }
    return await engine.get(id);
  } finally {
    stop();
  }
}

function isReached(goal: Goal, { status, steps }: Pick<InstanceChange, "status" | "steps">): boolean {
  if ("step" in goal) return steps[goal.step] === goal.status;
  return goal.status === "ended" ? isEnded(status) : status === goal.status;
}

/** Ended, or settled, in another way. */
function isMissed(goal: Goal, { status, steps }: Pick<InstanceChange, "status" | "steps">): boolean {
  if (isEnded(status)) return true;
  const step = "step" in goal ? steps[goal.step] : undefined;
  return step !== undefined && SETTLED.has(step);
}

function statusesOf({ steps }: InstanceView): Record<string, StepStatus> {
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.status]));
}

function notReached(view: InstanceView, goal: Goal): NotReachedError {
  const wanted = "step" in goal ? `step ${goal.step} ${goal.status}` : goal.status;
  const { id, status, failedStep, error } = view;
  const details = { id, wanted, status, steps: statusesOf(view), ...(failedStep ? { step: failedStep } : {}) };
  const cause = error && fromStoredError(error);
  return new NotReachedError(`${id}: not ${wanted}, since ${reasonOf(view, goal)}`, details, cause);
}

function reasonOf(view: InstanceView, goal: Goal): string {
  const { status, failedStep, error, steps } = view;
  if (isEnded(status)) {
    return failedStep === undefined
      ? `the run is ${status}`
      : `the run is ${status} at ${failedStep}: ${error?.message}`;
  }
  const step = "step" in goal ? steps[goal.step] : undefined;
  if (step && SETTLED.has(step.status)) return `the step is ${step.status}`;
  const open = Object.entries(steps).filter(([, { status }]) => status === "waiting" || status === "active");
  const what = open
    .map(([name, { status }]) => `${name} is ${status}${status === "active" ? ": its code has not returned" : ""}`)
    .join(", ");
  return `the run is ${status} and nothing comes due${what ? `: ${what}` : ""}`;
}
