import { type InstanceSummary, LISTED_STATUSES, type RunStatus } from "@hephaestus/core";
import { useState } from "preact/hooks";
import { type Polled, usePolled } from "../hooks/use-polled.ts";
import { titleOf } from "../model/labels.ts";
import { hrefOf } from "../route.ts";
import { describeError, type SourceName, UNAUTHENTICATED, UNREACHABLE } from "../source/instance-source.ts";
import type { ListedSource } from "../source/list-signal.ts";
import { ErrorNote, Note } from "./note.tsx";
import { StatusBadge } from "./status-badge.tsx";
import { TimeAgo } from "./times.tsx";
import { TokenForm } from "./token-form.tsx";

const PAGE_SIZE = 25;
/** The most that one request may ask for. */
const SHOWN_MAX = 500;

interface Shown {
  readonly items: readonly InstanceSummary[];
  readonly next?: string;
}

export function InstanceList({ source, selected }: { readonly source: ListedSource; readonly selected?: string }) {
  const [status, setStatus] = useState<RunStatus | "">("");
  const [limit, setLimit] = useState(PAGE_SIZE);
  const polled = usePolled<Shown>(
    `${source.name}:${status}:${limit}`,
    () => source.list({ limit, ...(status === "" ? {} : { status }) }),
    source.pollMs,
    source.subscribeList,
  );
  const { items = [], next } = polled.value ?? {};

  return (
    <section class="list" aria-labelledby="list-title">
      <div class="list-head">
        <h2 id="list-title">Instances</h2>
        <a class="button button-primary" href={hrefOf({ view: "new", source: source.name })}>
          Start one
        </a>
      </div>
      <label class="filter">
        <span>Status</span>
        <select value={status} onChange={(event) => setStatus(event.currentTarget.value as RunStatus | "")}>
          <option value="">any</option>
          {LISTED_STATUSES.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <ListNote source={source.name} polled={polled} filtered={status !== ""} />
      <ul class="items">
        {items.map((item) => (
          <li key={`${item.id}#${item.run}`}>
            <Item item={item} source={source.name} selected={item.id === selected} past={isPast(item, items)} />
          </li>
        ))}
      </ul>
      {next !== undefined && limit < SHOWN_MAX && (
        <button type="button" class="button more" onClick={() => setLimit(Math.min(SHOWN_MAX, limit * 2))}>
          Show more
        </button>
      )}
    </section>
  );
}

function Item({
  item,
  source,
  selected,
  past,
}: {
  readonly item: InstanceSummary;
  readonly source: SourceName;
  readonly selected: boolean;
  readonly past: boolean;
}) {
  const { id, key, run, status, current, workflow } = item;
  const where = current.length > 0 ? current.join(", ") : workflow;
  const line = (
    <>
      <span class="item-title">{titleOf(item)}</span>
      <StatusBadge status={status} />
      <span class="item-time">
        <TimeAgo at={item.updatedAt} />
      </span>
      <span class="item-where">
        {where} · {key ?? id}
        {past || run > 1 ? ` · run ${run}` : ""}
      </span>
    </>
  );
  if (past) return <div class="item item-past">{line}</div>;
  return (
    <a
      class="item"
      href={hrefOf({ view: "instance", source, id })}
      {...(selected ? { "aria-current": "page" as const } : {})}
    >
      {line}
    </a>
  );
}

/** Whether a later run of it is listed as well: only the latest one can be looked at. */
function isPast({ id, run }: InstanceSummary, items: readonly InstanceSummary[]): boolean {
  return items.some((other) => other.id === id && other.run > run);
}

function ListNote({
  source,
  polled: { value, error, refresh },
  filtered,
}: {
  readonly source: SourceName;
  readonly polled: Polled<Shown>;
  readonly filtered: boolean;
}) {
  if (error !== undefined && describeError(error).code === UNREACHABLE) {
    return (
      <Note>
        The edge is not reachable just now{value ? "; this is what it said last" : ""}. It is tried again by itself.
        Instances in <a href={hrefOf({ view: "list", source: "tab" })}>this tab</a> go on without it.
      </Note>
    );
  }
  if (describeError(error).code === UNAUTHENTICATED) return <TokenForm changed={refresh} />;
  if (error !== undefined) return <ErrorNote error={error} />;
  if (value === undefined) return <p class="note note-empty">Reading…</p>;
  if (value.items.length > 0) return null;
  if (filtered) return <p class="note note-empty">None with this status.</p>;
  return (
    <p class="note note-empty">
      {source === "tab" ? "Nothing here yet. What you start in this tab is kept in this browser." : "Nothing here yet."}
    </p>
  );
}
