import { type Clock, type Hephaestus, type InstanceChange, type InstanceView, isEnded } from "@hephaestus/core";

/** How often a silent stream says that it lives, in milliseconds: proxies cut connections that are still. */
export const HEARTBEAT_MS = 15_000;

/** How many changes wait for a slow reader before its stream is closed; it comes back and reads where things stand. */
export const BUFFERED_CHANGES_MAX = 1_000;

/** How long a browser waits before it comes back to a stream that broke, in milliseconds. */
const RECONNECT_MS = 3_000;

/** The name of the events of the stream. */
const CHANGE_EVENT = "change";

export interface LiveUpdateOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** The revision that a reader who comes back has seen last. */
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
}

/**
 * Answers with an instance's changes as Server-Sent Events: first where it stands, then each change as it is
 * committed, until the run ends. The id of an event is its revision; a reader who comes back with the last one is
 * told only what is new, and 204 when the run ended with it, which makes an `EventSource` stop asking.
 * @throws HephaestusError INSTANCE_NOT_FOUND
 */
export async function liveUpdates(engine: Hephaestus, id: string, options: LiveUpdateOptions): Promise<Response> {
  const early: InstanceChange[] = [];
  let listener = (change: InstanceChange): void => void early.push(change);
  // Listens before it looks, so that nothing falls in between.
  const unsubscribe = engine.subscribe(id, (change) => listener(change));
  const view = await engine.get(id).catch((error: unknown) => {
    unsubscribe();
    throw error;
  });
  const named = /^\d{1,15}$/.test(options.lastEventId ?? "") ? Number(options.lastEventId) : 0;
  // Ahead of what there is: it saw an instance of this id that has been removed since.
  const seen = named > view.revision ? 0 : named;
  if (isEnded(view.status) && view.revision === seen) {
    unsubscribe();
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  }
  const stream = changeStream(seen, options, unsubscribe, (tell) => {
    listener = tell;
    for (const change of [changeOf(view), ...early]) tell(change);
  });
  return new Response(stream, { headers: eventStreamHeaders });
}

export const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

/** Where an instance stands, in the shape of a change of all its steps. */
function changeOf({ id, run, revision, updatedAt, status, steps }: InstanceView): InstanceChange {
  const statuses = Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.status]));
  return { id, run, revision, at: updatedAt, status, steps: statuses };
}

function changeStream(
  seen: number,
  { clock, heartbeatMs, signal }: LiveUpdateOptions,
  unsubscribe: () => void,
  begin: (tell: (change: InstanceChange) => void) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let last = seen;
  let open = true;
  let cancelBeat = () => {};
  let close = () => {};
  const stop = () => {
    open = false;
    cancelBeat();
    unsubscribe();
    signal.removeEventListener("abort", close);
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string) => {
          if (!open) return;
          controller.enqueue(encoder.encode(text));
          cancelBeat();
          cancelBeat = clock.schedule(clock.now() + heartbeatMs, () => write(": heartbeat\n\n"));
          if ((controller.desiredSize ?? 0) <= 0) close();
        };
        close = () => {
          if (!open) return;
          stop();
          controller.close();
        };
        signal.addEventListener("abort", close);
        if (signal.aborted) close();
        write(`retry: ${RECONNECT_MS}\n\n`);
        begin((change) => {
          if (!open || change.revision <= last) return;
          last = change.revision;
          write(`event: ${CHANGE_EVENT}\nid: ${change.revision}\ndata: ${JSON.stringify(change)}\n\n`);
          if (isEnded(change.status)) close();
        });
      },
      cancel: stop,
    },
    new CountQueuingStrategy({ highWaterMark: BUFFERED_CHANGES_MAX }),
  );
}
