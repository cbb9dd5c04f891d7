import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { CHAIN_LENGTH, type Contender, type Env, FAN_OUT_WIDTH, MARKS, type Params, tell } from "./contender.ts";
import { ring } from "./signals.ts";

type Event = Readonly<WorkflowEvent<Params>>;

export class ThreeSteps extends WorkflowEntrypoint<Env, Params> {
  override async run({ payload: { id } }: Event, step: WorkflowStep): Promise<void> {
    await step.do("one", async () => 1);
    await step.do("two", async () => 2);
    await step.do("three", async () => ring(id));
  }
}

export class FanOut extends WorkflowEntrypoint<Env, Params> {
  override async run({ payload: { id } }: Event, step: WorkflowStep): Promise<void> {
    await step.do("first", async () => 0);
    await Promise.all(Array.from({ length: FAN_OUT_WIDTH }, (_, index) => step.do(`part ${index}`, async () => index)));
    await step.do("last", async () => ring(id));
  }
}

export class EventFlow extends WorkflowEntrypoint<Env, Params> {
  override async run({ payload: { id } }: Event, step: WorkflowStep): Promise<void> {
    await step.do("before", async () => ring(`${id} waits`));
    await step.waitForEvent("answer", { type: "yes", timeout: "1 hour" });
    await step.do("after", async () => ring(id));
  }
}

export class Chain extends WorkflowEntrypoint<Env, Params> {
  override async run({ payload: { id } }: Event, step: WorkflowStep): Promise<void> {
    for (let index = 0; index < CHAIN_LENGTH; index++) {
      await step.do(`step ${index}`, async () => {
        if (MARKS.includes(index)) await tell(this.env, "/mark/theirs", `${id} ${index}`);
        if (index === CHAIN_LENGTH - 1) ring(id);
        return index;
      });
    }
  }
}

export class Slow extends WorkflowEntrypoint<Env, Params> {
  override async run({ payload: { id } }: Event, step: WorkflowStep): Promise<void> {
    await step.do("first", async () => 1);
    await step.do("second", async () => tell(this.env, "/slow", id));
    await step.do("third", async () => tell(this.env, "/ended", id));
  }
}

export function theirs(env: Env): Contender {
  const bindings = {
    threeSteps: env.THREE_STEPS,
    fanOut: env.FAN_OUT,
    fanOutQueue: env.FAN_OUT,
    event: env.EVENT,
    chain: env.CHAIN,
    slow: env.SLOW,
  };
  return {
    start: (shape, id) => bindings[shape].create({ id, params: { id } }),
    async send(id) {
      const instance = await env.EVENT.get(id);
      await instance.sendEvent({ type: "yes", payload: { by: "ann" } });
    },
    async touch(id) {
      const instance = await env.SLOW.get(id);
      await instance.status();
    },
  };
}
