import type { Graph, InstanceView, StepView } from "@hephaestus/core";
import { stepsInOrder } from "@hephaestus/core/drawing";
import { useNow } from "../hooks/use-now.ts";
import { durationText, stepLabel, toneOf, waitsFor } from "../model/labels.ts";
import { JsonDetails, StoredErrorText } from "./json.tsx";

/** Every step of the workflow, from its starts downwards; without the code, those that were reached. */
export function Steps({ graph, view }: { readonly graph: Graph | undefined; readonly view: InstanceView }) {
  const now = useNow();
  const names = graph ? stepsInOrder(graph).map(({ name }) => name) : Object.keys(view.steps);
  return (
    <ol class="steps">
      {names.map((name) => {
        const step = view.steps[name];
        const node = graph?.byName.get(name);
        const facts = step ? factsOf(step) : [];
        if (step?.status === "waiting" && waitsFor(node) !== "") facts.unshift(`for ${waitsFor(node)}`);
        return (
          <li key={name} class={`step tone-${toneOf(step, now)}`} data-step={name} data-status={step?.status ?? "idle"}>
            <div class="step-line">
              <span class="dot" aria-hidden="true" />
              <span class="step-name">{name}</span>
              <span class="step-status">{stepLabel(step, now)}</span>
            </div>
            {facts.length > 0 && <p class="step-facts">{facts.join(" · ")}</p>}
            {step?.result !== undefined && <JsonDetails label="Result" value={step.result} />}
            {step?.metadata !== undefined && <JsonDetails label="Remarks" value={step.metadata} />}
            {step?.error !== undefined && <StoredErrorText error={step.error} />}
          </li>
        );
      })}
    </ol>
  );
}

function factsOf({ attempt, failures, interruptions, compensation }: StepView): string[] {
  return [
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(interruptions > 0 ? [interruptions === 1 ? "interrupted once" : `interrupted ${interruptions} times`] : []),
    ...(compensation ? [`compensation ${compensation.status}`] : []),
    ...(compensation?.wakeAt ? [`again in ${durationText(compensation.wakeAt - Date.now())}`] : []),
  ];
}
