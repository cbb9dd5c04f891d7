import type { EventReply, HistoryEntry, InstanceSummary, InstanceView, Page } from "@hephaestus/core";
import { type InstanceSource, SourceError, UNREACHABLE } from "./instance-source.ts";

const POLL_MS = 2_000;
const REQUEST_MS_MAX = 10_000;

/** An error as the edge answers it: RFC 9457 with the engine's code. */
interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
}

export interface EdgeOptions {
  /** Where the interface is mounted; this page's own origin unless said otherwise. */
  readonly base?: string;
  /** Asked at each request for the token to send along. */
  readonly token?: () => string | undefined;
}

/** The instances at the edge, over its HTTP interface. */
export function edgeSource({ base = "", token = () => undefined }: EdgeOptions = {}): InstanceSource {
  const pathOf = (id: string) => `/instances/${encodeURIComponent(id)}`;

  async function request<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    const bearer = token();
    const response = await fetch(base + path, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    }).catch((error: unknown) => {
      throw new SourceError(UNREACHABLE, "The edge does not answer.", { cause: error });
    });
    const text = await response.text();
    // A plain file server answers every path with this very page.
    const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    if (!isJson && (method === "GET" || !response.ok)) {
      throw new SourceError(UNREACHABLE, `No edge answers at this address (status ${response.status}).`);
    }
    const value: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
    if (response.ok) return value as T;
    const { code, detail, title } = (value ?? {}) as ProblemBody;
    throw new SourceError(code ?? `HTTP_${response.status}`, detail ?? title ?? response.statusText);
  }

  return {
    name: "edge",
    pollMs: POLL_MS,
    list({ status, limit }) {
      const query = new URLSearchParams({ limit: String(limit), ...(status === undefined ? {} : { status }) });
      return request<Page<InstanceSummary>>("GET", `/instances?${query}`);
    },
    get: (id) => request<InstanceView>("GET", pathOf(id)),
    async history(id) {
      type Entries = readonly HistoryEntry[];
      const answer = await request<Entries | { readonly items: Entries }>("GET", `${pathOf(id)}/history`);
      return "items" in answer ? answer.items : answer;
    },
    start: (workflow, key, input) =>
      request("POST", `/workflows/${encodeURIComponent(workflow)}/instances`, { key, input }),
    async send(id, event, payload) {
      const body = { event, ...(payload === undefined ? {} : { payload }) };
      const { outcome } = await request<{ readonly outcome: EventReply }>("POST", `${pathOf(id)}/events`, body);
      return outcome;
    },
    async act(id, action) {
      await request("POST", `${pathOf(id)}/${action}`, {});
    },
    subscribe(id, changed) {
      // An EventSource sends no headers: who needs a token has the polls.
      if (token() !== undefined) return () => {};
      const stream = new EventSource(`${base}${pathOf(id)}/changes`);
      // Named or not, whatever arrives says that there is something to read.
      for (const type of ["message", "change"]) stream.addEventListener(type, changed);
      // The polls go on without it: better than knocking again and again where nobody streams.
      stream.onerror = () => stream.close();
      return () => stream.close();
    },
  };
}
