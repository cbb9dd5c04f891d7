import { type Delivery, delivery } from "./deliveries.ts";

/** What happens to one pull request, and how its instance has to end. */
export interface Scenario {
  readonly title: string;
  readonly number: number;
  /** Each delivery is sent once the one before was answered and, with `when`, once that step has that status. */
  readonly deliveries: readonly {
    readonly delivery: Delivery;
    readonly when?: readonly [step: string, status: string];
  }[];
  readonly ends: "completed" | "cancelled";
  /** Steps that must have completed. */
  readonly completed: readonly string[];
}

const CHECKS = ["check_title", "label_size", "choose_reviewers", "summarize"];

export function makeScenarios(firstNumber: number): Scenario[] {
  let number = firstNumber;
  const opened = () => ({ delivery: delivery("pull_request", "opened", number) });
  const review = (state: string, when?: readonly [string, string]) => ({
    delivery: delivery("pull_request_review", "submitted", number, state),
    ...(when ? { when } : {}),
  });
  const scenario = (make: () => Omit<Scenario, "number">): Scenario => {
    const one = { ...make(), number };
    number += 1;
    return one;
  };
  return [
    scenario(() => ({
      title: "approved in the first review",
      deliveries: [opened(), review("approved", ["review", "waiting"])],
      ends: "completed",
      completed: [...CHECKS, "review", "approve"],
    })),
    scenario(() => ({
      title: "approved before the checks were done: the event waits in the inbox",
      deliveries: [opened(), review("approved")],
      ends: "completed",
      completed: [...CHECKS, "review", "approve"],
    })),
    scenario(() => ({
      title: "changes requested, then approved",
      deliveries: [
        opened(),
        review("changes_requested", ["review", "waiting"]),
        review("approved", ["second_review", "waiting"]),
      ],
      ends: "completed",
      completed: [...CHECKS, "review", "ask_for_changes", "second_review", "approve"],
    })),
    scenario(() => {
      const [first, second] = [opened(), review("approved", ["review", "waiting"])];
      return {
        title: "every delivery comes twice and counts once",
        deliveries: [first, first, second, second],
        ends: "completed",
        completed: [...CHECKS, "review", "approve"],
      };
    }),
    scenario(() => ({
      title: "a comment changes nothing; closing cancels",
      deliveries: [
        opened(),
        { delivery: delivery("pull_request", "labeled", number) },
        review("commented", ["review", "waiting"]),
        { delivery: delivery("pull_request", "closed", number) },
      ],
      ends: "cancelled",
      completed: CHECKS,
    })),
  ];
}
