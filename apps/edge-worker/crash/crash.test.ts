import { expect, it } from "vitest";
import { runCrashes } from "./run.ts";

/*
 * The harness in short: three kills of a real `wrangler dev` in the middle of its work. The long run is a command:
 * `npm run crash`.
 */
const MINUTES = 60_000;

it("a server that is killed in the middle of its work loses nothing and does nothing twice", {
  timeout: 5 * MINUTES,
}, async () => {
  const { problems, ended, begun, acknowledged } = await runCrashes({ instances: 30, kills: 3, seed: 3 });
  expect(problems).toEqual([]);
  expect(ended).toEqual({ completed: 21, failed: 3, cancelled: 3, waiting: 3 });
  expect(begun).toBeGreaterThanOrEqual(129);
  expect(acknowledged).toBeGreaterThan(0);
});
