import type { EventReply, HistoryEntry, InstanceSummary, InstanceView, Json, Page, RunStatus } from "@hephaestus/core";

export type SourceName = "tab" | "edge";

/** What can be done with an instance beside sending it an event. */
export type Action = "cancel" | "pause" | "unpause" | "retry" | "restart";

interface ListRequest {
  readonly status?: RunStatus;
  readonly limit: number;
}

/** A place where instances live. The same components show and control those of the tab and those of the edge. */
export interface InstanceSource {
  readonly name: SourceName;
  /** How often what is shown is read again, in milliseconds. */
  readonly pollMs: number;
  list(request: ListRequest): Promise<Page<InstanceSummary>>;
  get(id: string): Promise<InstanceView>;
  history(id: string): Promise<readonly HistoryEntry[]>;
  start(workflow: string, key: string, input: Json): Promise<{ readonly id: string; readonly run: number }>;
  send(id: string, event: string, payload: Json | undefined): Promise<EventReply>;
  act(id: string, action: Action): Promise<void>;
  /** Tells, between the polls, that an instance may have changed. */
  subscribe(id: string, changed: () => void): () => void;
}

/** The edge could not be reached, or something else than the edge answers at its address. */
export const UNREACHABLE = "EDGE_UNREACHABLE";

/** The edge wants a token, or another one. */
export const UNAUTHENTICATED = "UNAUTHENTICATED";

/** What a source refused or could not do; `code` is the engine's where it has one. */
export class SourceError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SourceError";
    this.code = code;
  }
}

/** The code and the text of anything that was thrown, to be shown. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return {
    code: typeof code === "string" ? code : "UNEXPECTED",
    message: typeof message === "string" ? message : String(error),
  };
}
