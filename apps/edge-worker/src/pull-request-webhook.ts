import type { Hephaestus } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import { actionOf } from "@hephaestus/example-workflows/github";

/** What a delivery came to, for GitHub's list of recent deliveries. */
export interface DeliveryAnswer {
  readonly outcome: "started" | "delivered" | "queued" | "cancelled" | "ignored";
  readonly instance?: string;
  readonly why?: string;
}

/** What cannot be done with a delivery that came too late, twice or for something that was never seen. */
const LATE: ReadonlySet<unknown> = new Set([
  "ALREADY_RUNNING",
  "EVENT_NOT_EXPECTED",
  "STATUS_REFUSES",
  "INSTANCE_NOT_FOUND",
]);

/** Does what a delivery of GitHub's asks; its id is the command's, so that it counts once. */
export async function handleDelivery(
  engine: Hephaestus,
  { id, name, body }: { readonly id: string; readonly name: string; readonly body: unknown },
): Promise<DeliveryAnswer> {
  const pulls = engine.for(pullRequestFlow);
  const action = actionOf(name, body);
  if (action.do === "ignore") return { outcome: "ignored", why: action.why };
  const instance = pulls.idOf(action.key);
  try {
    switch (action.do) {
      case "start":
        await pulls.start(action.key, action.input, { id });
        return { outcome: "started", instance };
      case "resume":
        return { outcome: await pulls.resume(action.key, action.event, action.payload, { id }), instance };
      case "cancel":
        await pulls.cancel(action.key, { id });
        return { outcome: "cancelled", instance };
      case "ignore":
        throw new Error("TODO: Not implemented yet");
    }
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    // GitHub would only send it again and get the same answer.
    if (LATE.has(code)) return { outcome: "ignored", instance, why: message };
    throw error;
  }
}
