import { expect, it } from "vitest";
import { stage } from "../../test/stage.ts";
import { createHephaestus, defineStep, defineWorkflow, done, memoryStorage, type, waitForEvent } from "../index.ts";
import { virtualClock } from "../testing/virtual-clock.ts";

const { gate, gated } = stage();
const charge = defineStep({ name: "charge", run: () => ({ amount: 4_999 }) });
const secret = defineStep({ name: "secret", run: () => ({ amount: 1 }) });
const answer = waitForEvent({ name: "answer", events: { yes: type<{ by: string }>() } });
const last = gated("last");
const flow = defineWorkflow({
  name: "flow",
  input: type<unknown>(),
  unique: { key: "n" },
  start: charge,
  transitions: ({ on }) => [
    on(charge, { done: secret }),
    on(secret, { done: last }),
    on(last, { done: answer }),
    on(answer, { yes: done }),
  ],
  queryable: [charge, answer],
});

it("lists find instances by the results that the workflow declares, also by those that another engine has stored", async () => {
  const [storage, clock] = [memoryStorage(), virtualClock()];
  const first = createHephaestus({ workflows: [flow], storage, clock });
  const { id } = await first.for(flow).start("1", {});
  await clock.settle();
  expect((await first.get(id)).steps.last?.status).toBe("active");
  // The row was written when the run began: these results are in the journal only.
  const closed = first.close();
  await clock.advance(60_000);
  await closed;
  const second = createHephaestus({ workflows: [flow], storage, clock });
  gate("last").resolve(null);
  await clock.advance(60_000);
  const found = async (where: Record<string, string | number>) =>
    (await second.list({ where })).items.map((item) => item.id);
  expect((await second.get(id)).status).toBe("waiting");
  expect(await found({ "results.charge.amount": 4_999 })).toEqual([id]);
  expect(await found({ "results.charge.amount": 5 })).toEqual([]);
  expect(await found({ "results.secret.amount": 1 })).toEqual([]);
  await second.resume(id, "yes", { by: "ann" });
  await second.for(flow).result("1");
  expect(await found({ "results.answer.by": "ann", "results.charge.amount": 4_999 })).toEqual([id]);
  await second.close();
});
