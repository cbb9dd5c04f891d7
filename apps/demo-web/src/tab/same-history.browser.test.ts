import { createHephaestus } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import expected from "@hephaestus/example-workflows/changes-requested.history.json" with { type: "json" };
import { playChangesRequested, recordingCodeHost } from "@hephaestus/example-workflows/scenario";
import { indexedDbStorage } from "@hephaestus/indexeddb";
import { expect, it } from "vitest";

it("goes from opened over changes requested to approved, in IndexedDB, with the history that every place has", async () => {
  const storage = indexedDbStorage({ name: `same-history-${crypto.randomUUID()}` });
  const engine = createHephaestus({
    workflows: [pullRequestFlow],
    storage,
    connectors: { codeHost: recordingCodeHost() },
  });
  expect(await playChangesRequested(engine, "1-2")).toEqual(expected);
  await engine.close();
  await storage.close?.();
});
