import { type Clock, createHephaestus, type Hephaestus, type RunStatus } from "@hephaestus/core";
import type { Hono } from "hono";
import { anonymous, type HttpOptions, httpRoutes } from "../src/http-routes.ts";
import { noteFlow, orderFlow } from "./flows.ts";

interface Called {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

interface Sent {
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Harness {
  readonly engine: Hephaestus;
  readonly app: Hono;
  /** What was told to `onError`. */
  readonly errors: unknown[];
  call(method: string, path: string, sent?: Sent): Promise<Called>;
  /** Waits until an instance has this status. */
  until(id: string, status: RunStatus): Promise<void>;
}

/** Routes over an engine in memory. */
export function harness(options: Partial<HttpOptions> = {}, engine = memoryEngine()): Harness {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const app = httpRoutes({ engine, authenticate: anonymous, onError, ...options });
  return {
    engine,
    app,
    errors,
    call: (method, path, sent) => call(app, method, path, sent),
    until: (id, status) => until(engine, id, status),
  };
}

export function memoryEngine(): Hephaestus {
  return createHephaestus({ workflows: [orderFlow, noteFlow] });
}

async function call(app: Hono, method: string, path: string, sent: Sent = {}): Promise<Called> {
  const { json, text = json === undefined ? undefined : JSON.stringify(json), headers = {} } = sent;
  const response = await app.request(path, {
    method,
    headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const body = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(body) : body };
}

export function until(engine: Hephaestus, id: string, status: RunStatus): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () =>
      engine.get(id).then((view) => {
        if (view.status !== status) return;
        stop();
        resolve();
      }, reject);
    const stop = engine.subscribe(id, () => void look());
    void look();
  });
}

/** A clock that goes on only when it is told. */
export function manualClock(start = 1_000_000): Clock & { advance(ms: number): void } {
  let time = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    now: () => time,
    schedule(at, callback) {
      const timer = { at, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      time += ms;
      for (const timer of [...timers]) if (timer.at <= time && timers.delete(timer)) timer.callback();
    },
  };
}
