import { HephaestusError } from "@hephaestus/core";
import { isErrorCode } from "./error-status.ts";
import { IDEMPOTENCY_KEY } from "./wire.ts";

/** The part of `fetch` that is used: the platform's, a service binding's, or a Hono app's `request`. */
export type Fetch = (url: string, init: RequestInit) => Response | Promise<Response>;

export interface TransportOptions {
  /** Where the routes are mounted: `https://example.com/api`, or `/api` in a browser. */
  readonly baseUrl: string;
  readonly fetch?: Fetch;
  /** Sent with every request, for example the caller's authorization. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
}

interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** The id of the command. */
  readonly id?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * An answer that is not one of the engine's errors: who asks is not known, the server failed, something between
 * answered in its place.
 */
export class HttpError extends Error {
  readonly status: number;
  /** The problem's code, where the answer was a problem. */
  readonly code: string | undefined;
  constructor(status: number, message: string, code?: string) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.code = code;
  }
}

/** Sends a call; whatever is not a success is thrown. */
export type Transport = (call: Call) => Promise<Response>;

/** @throws HephaestusError as the engine threw it; HttpError; what `fetch` throws when nobody answers */
export function makeTransport({ baseUrl, fetch: given, headers }: TransportOptions): Transport {
  const send: Fetch = given ?? ((url, init) => fetch(url, init));
  const base = baseUrl.replace(/\/+$/, "");
  return async (call) => {
    const own = new Headers(typeof headers === "function" ? await headers() : headers);
    for (const [name, value] of Object.entries(call.headers ?? {})) own.set(name, value);
    if (call.body !== undefined) own.set("content-type", "application/json");
    // Quoted, so that spaces at its ends count; the server takes the quotes off.
    if (call.id !== undefined) own.set(IDEMPOTENCY_KEY, headerText(call.id));
    const response = await send(base + call.path, {
      method: call.method,
      headers: own,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal ? { signal: call.signal } : {}),
    });
    if (!response.ok) throw await errorOf(response);
    return response;
  };
}

/** A header holds printable ASCII only: an id that does not cannot be sent as it is. */
function headerText(id: string): string {
  if (/^[\x20-\x7e]*$/.test(id)) return `"${id}"`;
  throw new HephaestusError("OPTION_INVALID", "id: printable ASCII, to go over HTTP", { field: "id" });
}

async function errorOf(response: Response): Promise<Error> {
  const body: unknown = await response.json().catch(() => undefined);
  const { status } = response;
  if (typeof body !== "object" || body === null) return new HttpError(status, `the server answered ${status}`);
  const {
    type: _type,
    title: _title,
    status: _status,
    detail,
    instance: _instance,
    code,
    ...rest
  } = body as Record<string, unknown>;
  const message = typeof detail === "string" ? detail : `the server answered ${status}`;
  if (!isErrorCode(code)) return new HttpError(status, message, typeof code === "string" ? code : undefined);
  const { details, cause, ...members } = rest;
  const own = typeof details === "object" && details !== null ? details : {};
  return new HephaestusError(
    code,
    message,
    { ...members, ...own },
    ...(cause === undefined ? [] : [{ cause: causeOf(cause) }]),
  );
}

/** As the engine has it: an error of the step's code. */
function causeOf(cause: unknown): unknown {
  if (typeof cause !== "object" || cause === null) return cause;
  const { message, code } = cause as Record<string, unknown>;
  return new HephaestusError(isErrorCode(code) ? code : "STEP_FAILED", String(message ?? ""));
}
