import type { Locator, Page } from "playwright";
import { CALLS_KEY, type CodeHostCall } from "../src/tab/local-code-host.ts";

/** A line of the history, as it is read off the page. */
export interface ShownLine {
  readonly at: number;
  readonly text: string;
}

/** The page as its user sees it. */
export interface InstancePage {
  /** Starts an instance with the values that the form offers. */
  start(): Promise<void>;
  callsTake(seconds: string): Promise<void>;
  /** Waits until a step is shown with this status. */
  stepIs(name: string, status: string): Promise<void>;
  instanceIs(status: string): Promise<void>;
  /** Waits until a step's call to the code host is under way in this page's life. */
  callIsUnderWay(step: string): Promise<void>;
  send(event: string): Promise<void>;
  history(): Promise<readonly ShownLine[]>;
  /** The witness: every call that was begun, oldest first. */
  calls(): Promise<readonly CodeHostCall[]>;
  /** What the page said to the console that it should not have, and what it threw. */
  readonly complaints: readonly string[];
}

export function instancePage(page: Page): InstancePage {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const calls = page.getByRole("region", { name: "Calls to the code host" });

  return {
    complaints,
    async start() {
      await page.getByRole("button", { name: "Start in this tab" }).click();
    },
    async callsTake(seconds) {
      const field: Locator = page.getByLabel("Each call takes");
      await field.fill(seconds);
      await field.blur();
    },
    stepIs: (name, status) => page.locator(`[data-step="${name}"][data-status="${status}"]`).waitFor(),
    instanceIs: (status) => page.locator(`.head .badge.tone-${status}`).waitFor(),
    callIsUnderWay: (step) =>
      calls.getByRole("listitem").filter({ hasText: step }).filter({ hasText: "under way" }).waitFor(),
    async send(event) {
      await page.getByRole("combobox", { name: "Event" }).selectOption(event);
      await page.getByRole("button", { name: "Send" }).click();
    },
    history: () =>
      page.locator("section[aria-labelledby=history-title] .history-line").evaluateAll((lines) =>
        lines.map((line) => ({
          at: Date.parse(line.querySelector("time")?.dateTime ?? ""),
          text: line.querySelector(".history-text")?.textContent ?? "",
        })),
      ),
    calls: () => page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? "[]") as CodeHostCall[], CALLS_KEY),
  };
}

/** The step that a call was made for. */
export const stepOf = (call: CodeHostCall) => call.idempotencyKey.slice(call.idempotencyKey.lastIndexOf("/") + 1);
