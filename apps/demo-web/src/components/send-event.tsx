import type { EventReply, Graph, InstanceView, Json } from "@hephaestus/core";
import { useState } from "preact/hooks";
import { useTask } from "../hooks/use-task.ts";
import { allowedActions, offeredEvents } from "../model/actions.ts";
import { samplePayload } from "../model/sample-pull-request.ts";
import { type InstanceSource, SourceError } from "../source/instance-source.ts";
import { ErrorNote, Note } from "./note.tsx";

export interface SendEventProps {
  readonly source: InstanceSource;
  readonly view: InstanceView;
  readonly graph: Graph | undefined;
  changed(): void;
}

interface Answered {
  readonly event: string;
  readonly reply: EventReply;
}

/** Sends one of the events that the instance's steps receive. Without the graph, its name is typed. */
export function SendEvent({ source, view, graph, changed }: SendEventProps) {
  const offers = graph ? offeredEvents(graph, view) : [];
  const [chosen, setChosen] = useState("");
  const [edited, setEdited] = useState<{ readonly event: string; readonly text: string }>();
  const { busy, error, value, run } = useTask<Answered>();

  const offer = offers.find((one) => one.event === chosen) ?? offers[0];
  const event = graph ? (offer?.event ?? "") : chosen;
  const payload = edited?.event === event ? edited.text : samplePayload(event);
  const ended = !allowedActions(view.status).includes("cancel");

  const submit = (submitted: SubmitEvent) => {
    submitted.preventDefault();
    run(async () => {
      const reply = await source.send(view.id, event, parsePayload(payload)).finally(changed);
      return { event, reply };
    });
  };

  if (ended || (graph && offers.length === 0)) return value && <Answer {...value} />;
  return (
    <section class="panel" aria-label="Send an event">
      <h2>Send an event</h2>
      <form class="send" onSubmit={submit}>
        {graph ? (
          <label class="field">
            <span>Event</span>
            <select value={event} onChange={(change) => setChosen(change.currentTarget.value)}>
              {offers.map((one) => (
                <option key={one.event} value={one.event}>
                  {one.event} → {one.step}
                  {one.early ? " (early)" : ""}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <label class="field">
            <span>Event</span>
            <input required value={chosen} onInput={(change) => setChosen(change.currentTarget.value)} />
          </label>
        )}
        <label class="field">
          <span>Payload (JSON)</span>
          <textarea
            rows={4}
            spellcheck={false}
            value={payload}
            onInput={(change) => setEdited({ event, text: change.currentTarget.value })}
          />
        </label>
        <button type="submit" class="button button-primary" disabled={busy}>
          Send
        </button>
      </form>
      {error !== undefined && <ErrorNote error={error} />}
      {value !== undefined && <Answer {...value} />}
    </section>
  );
}

function Answer({ event, reply }: Answered) {
  return (
    <Note>
      <code>{event}</code> was {reply}
      {reply === "queued" ? ": it is kept until a step waits for it." : "."}
    </Note>
  );
}

/** @throws SourceError PAYLOAD_INVALID when it is not JSON */
function parsePayload(text: string): Json | undefined {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new SourceError("PAYLOAD_INVALID", `This is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
