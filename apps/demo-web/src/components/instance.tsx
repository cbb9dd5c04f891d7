import type { HistoryEntry, InstanceView } from "@hephaestus/core";
import { GraphView } from "../graph/graph-view.tsx";
import { usePolled } from "../hooks/use-polled.ts";
import { graphOf } from "../model/known-workflows.ts";
import { durationText, titleOf } from "../model/labels.ts";
import { describeError, type InstanceSource, UNREACHABLE } from "../source/instance-source.ts";
import type { LocalCodeHost } from "../tab/local-code-host.ts";
import { Actions } from "./actions.tsx";
import { CodeHostCalls } from "./code-host-calls.tsx";
import { History } from "./history.tsx";
import { JsonDetails, StoredErrorText } from "./json.tsx";
import { ErrorNote, Note } from "./note.tsx";
import { SendEvent } from "./send-event.tsx";
import { StatusBadge } from "./status-badge.tsx";
import { Steps } from "./steps.tsx";
import { TimeAgo } from "./times.tsx";

interface Shown {
  readonly view: InstanceView;
  readonly history: readonly HistoryEntry[];
}

export interface InstanceProps {
  readonly source: InstanceSource;
  readonly id: string;
  readonly codeHost: LocalCodeHost;
}

/** One instance: what it is, what can be done with it, its graph, its steps and its history. */
export function Instance({ source, id, codeHost }: InstanceProps) {
  const polled = usePolled<Shown>(
    `${source.name}:${id}`,
    async () => {
      const [view, history] = await Promise.all([source.get(id), source.history(id)]);
      return { view, history };
    },
    source.pollMs,
    (changed) => source.subscribe(id, changed),
  );
  const { value, error, refresh } = polled;
  if (value === undefined) {
    return (
      <div class="instance">
        <h1>{id}</h1>
        {error === undefined ? <p class="note note-empty">Reading…</p> : <ErrorNote error={error} />}
      </div>
    );
  }
  const { view, history } = value;
  const graph = graphOf(view);
  return (
    <article class="instance">
      {error !== undefined &&
        (describeError(error).code === UNREACHABLE ? (
          <Note>The edge is not reachable just now; this is what it said last.</Note>
        ) : (
          <ErrorNote error={error} />
        ))}
      <Head view={view} />
      <Actions source={source} view={view} changed={refresh} />
      <SendEvent source={source} view={view} graph={graph} changed={refresh} />
      <div class="columns">
        {graph && (
          <div>
            <h2>Graph</h2>
            <GraphView graph={graph} instance={view} />
          </div>
        )}
        <div>
          <h2>Steps</h2>
          <Steps graph={graph} view={view} />
        </div>
      </div>
      <History entries={history} inbox={view.inbox} />
      {source.name === "tab" && <CodeHostCalls codeHost={codeHost} id={id} run={view.run} />}
    </article>
  );
}

function Head({ view }: { readonly view: InstanceView }) {
  const { id, key, workflow, version, run, status, parked, createdAt, updatedAt, endedAt, input } = view;
  return (
    <header class="head">
      <div class="head-title">
        <h1>{titleOf(view)}</h1>
        <StatusBadge status={status} parked={parked} />
      </div>
      <p class="head-id">{id}</p>
      <dl class="facts">
        <Fact name="Workflow">
          {workflow}@{version}
        </Fact>
        {key !== undefined && <Fact name="Key">{key}</Fact>}
        <Fact name="Run">{run}</Fact>
        <Fact name="Started">
          <TimeAgo at={createdAt} />
        </Fact>
        {endedAt === undefined ? (
          <Fact name="Last change">
            <TimeAgo at={updatedAt} />
          </Fact>
        ) : (
          <Fact name="Ended">
            <TimeAgo at={endedAt} />, after {durationText(endedAt - createdAt)}
          </Fact>
        )}
      </dl>
      {parked && <Note>Parked: the code of this workflow is not here, or has another graph. It waits untouched.</Note>}
      {view.error && (
        <div class="note note-error">
          {view.failedStep !== undefined && (
            <p>
              Failed at <strong>{view.failedStep}</strong>
            </p>
          )}
          <StoredErrorText error={view.error} />
        </div>
      )}
      {input !== undefined && <JsonDetails label="Input" value={input} />}
    </header>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
