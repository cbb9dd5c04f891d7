import { expect, it } from "vitest";
import { harness } from "../test/harness.ts";

it("lists the workflows", async () => {
  const { status, body } = await harness().call("GET", "/workflows");
  expect(status).toBe(200);
  expect(body.items).toEqual([
    {
      name: "order_flow",
      version: 1,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      current: true,
      tags: ["orders"],
      metadata: { team: "shop" },
      unique: { key: "orderid", scope: "workflow" },
    },
    { name: "note_flow", version: 2, fingerprint: expect.any(String), current: true, tags: [], metadata: {} },
  ]);
});

it("shows a workflow's graph", async () => {
  const { body } = await harness().call("GET", "/workflows/order_flow");
  expect(body).toMatchObject({ name: "order_flow", version: 1, starts: ["price"], output: ["ship"] });
  expect(body.steps.map((step: { name: string }) => step.name).sort()).toEqual([
    "approve",
    "escalate",
    "price",
    "ship",
  ]);
  expect(body.steps.find((step: { name: string }) => step.name === "approve")).toEqual({
    name: "approve",
    kind: "event",
    events: ["approved", "refused"],
    receives: ["approved", "refused"],
    targets: {
      approved: { targets: ["ship"], choice: false },
      refused: { targets: ["escalate"], choice: false },
    },
    join: "all",
    cancelRest: false,
    compensates: false,
    maxAttempts: 5,
  });
  expect(body.steps.find((step: { name: string }) => step.name === "ship")).toMatchObject({
    targets: { shipped: { targets: ["done"], choice: false } },
    compensates: true,
    maxAttempts: 1,
  });
});

it("shows a version, and the choices", async () => {
  const { call } = harness();
  const { body } = await call("GET", "/workflows/note_flow?version=2");
  expect(body).toMatchObject({ version: 2, steps: [{ targets: { done: { targets: ["done"], choice: true } } }] });
});

it.each([
  ["/workflows/nope", 404, "UNKNOWN_WORKFLOW"],
  ["/workflows/__proto__", 404, "UNKNOWN_WORKFLOW"],
  ["/workflows/note_flow?version=1", 404, "UNKNOWN_WORKFLOW"],
  ["/workflows/note_flow?version=", 422, "OPTION_INVALID"],
  ["/workflows/note_flow?version=NaN", 422, "OPTION_INVALID"],
  ["/workflows/note_flow?version=2&version=2", 422, "OPTION_INVALID"],
])("answers %s with %i", async (path, expected, code) => {
  const { status, body } = await harness().call("GET", path);
  expect([status, body.code]).toEqual([expected, code]);
});
