import { type Hephaestus, unreachable } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import { actionOf, type DeliveryAction } from "@hephaestus/example-workflows/github";
import type { Delivery, WebhookAnswer } from "@hephaestus/http";

/** What cannot be done with a delivery that came too late, twice or for something that was never seen. */
const LATE: ReadonlySet<unknown> = new Set([
  "ALREADY_RUNNING",
  "EVENT_NOT_EXPECTED",
  "STATUS_REFUSES",
  "INSTANCE_NOT_FOUND",
]);

/** Does what a delivery of GitHub's asks; its id is the command's, so that it counts once. */
export async function handleDelivery({ id, name, body }: Delivery, engine: Hephaestus): Promise<WebhookAnswer> {
  const action = actionOf(name, body);
  if (action.do === "ignore") return { outcome: "ignored", detail: action.why };
  const instance = { id: engine.for(pullRequestFlow).idOf(action.key) };
  try {
    return { outcome: await act(action, id, engine), ...instance };
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    // GitHub would only send it again and get the same answer.
    if (LATE.has(code)) return { outcome: "ignored", ...instance, detail: message };
    throw error;
  }
}

async function act(action: Exclude<DeliveryAction, { do: "ignore" }>, id: string, engine: Hephaestus): Promise<string> {
  const pulls = engine.for(pullRequestFlow);
  switch (action.do) {
    case "start":
      await pulls.start(action.key, action.input, { id });
      return "started";
    case "resume":
      return pulls.resume(action.key, action.event, action.payload, { id });
    case "cancel":
      await pulls.cancel(action.key, { id });
      return "cancelled";
    default:
      return unreachable(action);
  }
}
