import type { HistoryEntry, InstanceView } from "@hephaestus/core";
import { historyLine } from "../model/history-text.ts";
import { StoredErrorText } from "./json.tsx";
import { ClockTime } from "./times.tsx";

export interface HistoryProps {
  readonly entries: readonly HistoryEntry[];
  readonly inbox: InstanceView["inbox"];
}

/** What happened, oldest first: one line each; the values open. */
export function History({ entries, inbox }: HistoryProps) {
  return (
    <section aria-labelledby="history-title">
      <h2 id="history-title">
        History <span class="count">{entries.length}</span>
      </h2>
      {inbox.length > 0 && (
        <p class="quiet">In the inbox, not taken yet: {inbox.map(({ event }) => event).join(", ")}</p>
      )}
      <ol class="history">
        {entries.map((entry, index) => (
          <li key={`${entry.revision} ${index}`} data-revision={entry.revision}>
            <Line entry={entry} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Line({ entry }: { readonly entry: HistoryEntry }) {
  const { tone, subject, text, detail, error } = historyLine(entry);
  const line = (
    <>
      <ClockTime at={entry.at} />
      <span class={`dot tone-${tone}`} aria-hidden="true" />
      <span class="history-text">
        <strong>{subject}</strong> {text}
      </span>
      {detail !== undefined && <code class="preview">{JSON.stringify(detail)}</code>}
    </>
  );
  return (
    <>
      {detail === undefined ? (
        <div class="history-line">{line}</div>
      ) : (
        <details>
          <summary class="history-line">{line}</summary>
          <pre>{JSON.stringify(detail, undefined, 2)}</pre>
        </details>
      )}
      {error !== undefined && <StoredErrorText error={error} />}
    </>
  );
}
