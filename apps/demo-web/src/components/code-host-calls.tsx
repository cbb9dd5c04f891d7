import { useCodeHost } from "../hooks/use-code-host.ts";
import { durationText } from "../model/labels.ts";
import type { CodeHostCall, LocalCodeHost } from "../tab/local-code-host.ts";
import { CodeHostSettings } from "./code-host-settings.tsx";
import { ClockTime } from "./times.tsx";

export interface CodeHostCallsProps {
  readonly codeHost: LocalCodeHost;
  readonly id: string;
  readonly run: number;
}

/** What the steps of a run asked of the code host: shows which steps were begun, how often, and what a reload cut off. */
export function CodeHostCalls({ codeHost, id, run }: CodeHostCallsProps) {
  const prefix = `${id}#${run}/`;
  const calls = useCodeHost(codeHost, () => codeHost.calls()).filter((call) => call.idempotencyKey.startsWith(prefix));
  return (
    <section aria-labelledby="calls-title">
      <h2 id="calls-title">
        Calls to the code host <span class="count">{calls.length}</span>
      </h2>
      <p class="quiet">
        In the tab the code host is a stand-in that keeps this list in the browser. Reload the page in the middle of a
        call: the step is begun again, under the same key; steps whose result is stored are not.
      </p>
      <CodeHostSettings codeHost={codeHost} />
      <ol class="history calls">
        {calls.map((call) => (
          <li key={`${call.idempotencyKey} ${call.startedAt}`}>
            <div class="history-line">
              <ClockTime at={call.startedAt} />
              <span class={`dot tone-${toneOf(call, codeHost.page)}`} aria-hidden="true" />
              <span class="history-text">
                <strong>{call.idempotencyKey.slice(prefix.length)}</strong> {call.method}:{" "}
                {outcomeText(call, codeHost.page)}
              </span>
              <span class="preview">{call.detail}</span>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function toneOf({ outcome, page }: CodeHostCall, current: string): string {
  if (outcome === undefined) return page === current ? "active" : "cancelled";
  return outcome === "refused" ? "failed" : "completed";
}

const OUTCOMES: { readonly [outcome in NonNullable<CodeHostCall["outcome"]>]: string } = {
  done: "done",
  repeated: "done before, not done twice",
  refused: "refused, it is down",
};

function outcomeText({ outcome, page, startedAt, endedAt = startedAt }: CodeHostCall, current: string): string {
  if (outcome === undefined) return page === current ? "under way" : "cut off, its page went away";
  return `${OUTCOMES[outcome]}, ${durationText(endedAt - startedAt)}`;
}
