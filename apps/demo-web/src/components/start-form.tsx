import type { Json } from "@hephaestus/core";
import type { PullRequest } from "@hephaestus/example-workflows";
import { useState } from "preact/hooks";
import { useTask } from "../hooks/use-task.ts";
import { WORKFLOW } from "../model/known-workflows.ts";
import { keyOf, rememberNumber, samplePullRequest } from "../model/sample-pull-request.ts";
import { hrefOf } from "../route.ts";
import type { InstanceSource } from "../source/instance-source.ts";
import type { LocalCodeHost } from "../tab/local-code-host.ts";
import { CodeHostSettings } from "./code-host-settings.tsx";
import { ErrorNote } from "./note.tsx";

const TEXTS = [
  ["title", "Title"],
  ["author", "Author"],
  ["repository", "Repository"],
] as const satisfies readonly (readonly [keyof PullRequest, string])[];

const NUMBERS = [
  ["number", "Number", 1],
  ["repositoryId", "Repository id", 1],
  ["additions", "Lines added", 0],
  ["deletions", "Lines deleted", 0],
  ["changedFiles", "Files changed", 0],
] as const satisfies readonly (readonly [keyof PullRequest, string, number])[];

export interface StartFormProps {
  readonly source: InstanceSource;
  readonly codeHost: LocalCodeHost;
}

/** Starts the example workflow for a pull request that is made up here. */
export function StartForm({ source, codeHost }: StartFormProps) {
  const [pull, setPull] = useState(samplePullRequest);
  const { busy, error, run } = useTask();
  const change = (changed: Partial<PullRequest>) => setPull({ ...pull, ...changed });

  const submit = (submitted: SubmitEvent) => {
    submitted.preventDefault();
    run(async () => {
      const { id } = await source.start(WORKFLOW, keyOf(pull), { ...pull } satisfies Json);
      rememberNumber(pull.number);
      location.hash = hrefOf({ view: "instance", source: source.name, id });
    });
  };

  return (
    <section class="start" aria-labelledby="start-title">
      <h1 id="start-title">Start a pull request review</h1>
      <p class="lead">
        {source.name === "tab"
          ? "The workflow runs in this tab and is kept in this browser. Reload the page whenever you like, in the middle of a step or of a wait: it goes on where it was."
          : "The workflow runs at the edge: it goes on when this page is closed."}
      </p>
      <form class="start-form" onSubmit={submit}>
        {TEXTS.map(([name, label]) => (
          <label key={name} class={`field field-${name}`}>
            <span>{label}</span>
            <input
              name={name}
              required
              autocomplete="off"
              value={pull[name]}
              onInput={({ currentTarget: input }) => change({ [name]: input.value })}
            />
          </label>
        ))}
        {NUMBERS.map(([name, label, min]) => (
          <label key={name} class={`field field-${name}`}>
            <span>{label}</span>
            <input
              name={name}
              type="number"
              required
              min={min}
              step="1"
              value={Number.isNaN(pull[name]) ? "" : pull[name]}
              onInput={({ currentTarget: input }) => change({ [name]: input.valueAsNumber })}
            />
          </label>
        ))}
        <p class="key">
          Key <code>{keyOf(pull)}</code>
        </p>
        <div class="buttons">
          <button type="submit" class="button button-primary" disabled={busy}>
            {source.name === "tab" ? "Start in this tab" : "Start at the edge"}
          </button>
        </div>
      </form>
      {error !== undefined && <ErrorNote error={error} />}
      {source.name === "tab" && (
        <section aria-labelledby="settings-title">
          <h2 id="settings-title">The code host of this tab</h2>
          <p class="quiet">Steps call a stand-in for a code host, slow enough to be watched.</p>
          <CodeHostSettings codeHost={codeHost} />
        </section>
      )}
    </section>
  );
}
