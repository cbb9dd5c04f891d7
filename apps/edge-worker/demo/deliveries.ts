import { createHmac, randomUUID } from "node:crypto";
import examples from "@octokit/webhooks-examples" with { type: "json" };

/** A delivery as GitHub sends it. */
export interface Delivery {
  readonly id: string;
  readonly name: string;
  readonly body: string;
}

interface Example {
  readonly action?: string;
  readonly number?: number;
  readonly pull_request?: { readonly number: number; readonly title: string };
  readonly review?: { readonly state: string };
}

function exampleOf(name: string, action: string): Example {
  const all = (examples as unknown as { name: string; examples: Example[] }[]).find((one) => one.name === name);
  const found = all?.examples.find((one) => one.action === action);
  if (found) return found;
  throw new Error(`@octokit/webhooks-examples has no ${name}.${action}`);
}

/**
 * A recorded delivery under another pull request's number. The recorded reviews only comment: where a scenario needs a
 * verdict, `state` replaces that word and nothing else.
 */
export function delivery(name: string, action: string, number: number, state?: string): Delivery {
  const body = structuredClone(exampleOf(name, action)) as Record<string, unknown> & Example;
  if (body.number !== undefined) Object.assign(body, { number });
  Object.assign(body.pull_request ?? {}, { number });
  if (state !== undefined && body.review) Object.assign(body.review, { state });
  return { id: randomUUID(), name, body: JSON.stringify(body) };
}

/** Sends a delivery, signed as GitHub signs it. */
export async function send(
  url: string,
  secret: string,
  { id, name, body }: Delivery,
): Promise<{ outcome: string; id?: string }> {
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = {
    "content-type": "application/json",
    "x-github-event": name,
    "x-github-delivery": id,
    "x-hub-signature-256": signature,
  };
  const response = await fetch(`${url}/webhooks/github`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`${name} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as { outcome: string; id?: string };
}
