import { type Clock, type InstanceChange, isEnded } from "@hephaestus/core";
import { readEvents } from "./event-stream.ts";
import { HttpError, type Transport } from "./transport.ts";
import { instancePath } from "./wire.ts";

/** How long to wait before a broken stream is opened again, in milliseconds: the next one after each failure. */
const RECONNECT_MS = [100, 500, 1_000, 2_000, 5_000, 10_000] as const;

/**
 * Follows an instance until its run ends: where it stands, then each change. A stream that breaks is opened again
 * and goes on after what was seen.
 * @throws what the server answers when it refuses; what broke the stream when it cannot be had again
 */
export async function follow(
  transport: Transport,
  clock: Clock,
  id: string,
  signal: AbortSignal,
  tell: (change: InstanceChange) => void,
): Promise<void> {
  let last = "";
  for (let failures = 0; ; failures++) {
    try {
      const headers = { accept: "text/event-stream", ...(last === "" ? {} : { "last-event-id": last }) };
      const response = await transport({ method: "GET", path: instancePath(id, "changes"), headers, signal });
      if (response.status === 204 || response.body === null) return;
      // It was had: what breaks it later, perhaps after hours, is another matter.
      failures = Math.min(failures, 1);
      for await (const event of readEvents(response.body, signal)) {
        if (signal.aborted) return;
        last = event.id;
        const change = JSON.parse(event.data) as InstanceChange;
        tell(change);
        if (isEnded(change.status)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      const wait = RECONNECT_MS[failures];
      if (wait === undefined || isRefusal(error)) throw error;
    }
    await sleep(clock, RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)] ?? 0, signal);
    if (signal.aborted) return;
  }
}

/** The server has understood and will say the same again. */
function isRefusal(error: unknown): boolean {
  if (error instanceof HttpError) return error.status < 500 && error.status !== 429;
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && !code.startsWith("STORAGE_") && code !== "CLOSED";
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.schedule(clock.now() + ms, end);
    signal.addEventListener("abort", end);
  });
}
