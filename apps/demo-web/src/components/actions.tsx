import type { InstanceView } from "@hephaestus/core";
import { useTask } from "../hooks/use-task.ts";
import { allowedActions } from "../model/actions.ts";
import type { Action, InstanceSource } from "../source/instance-source.ts";
import { ErrorNote } from "./note.tsx";

const LABELS: { readonly [action in Action]: string } = {
  pause: "Pause",
  unpause: "Go on",
  cancel: "Cancel",
  retry: "Retry",
  restart: "Restart",
};

export interface ActionsProps {
  readonly source: InstanceSource;
  readonly view: InstanceView;
  changed(): void;
}

/** The buttons for what the engine would not refuse now. */
export function Actions({ source, view, changed }: ActionsProps) {
  const { busy, error, run } = useTask();
  const actions = allowedActions(view.status);
  const act = (action: Action) =>
    run(async () => {
      await source.act(view.id, action).finally(changed);
    });
  if (actions.length === 0 && error === undefined) return null;
  return (
    <section class="actions" aria-label="Actions">
      <div class="buttons">
        {actions.map((action) => (
          <button
            key={action}
            type="button"
            class={`button${action === "cancel" ? " button-danger" : ""}`}
            disabled={busy}
            onClick={() => act(action)}
          >
            {LABELS[action]}
          </button>
        ))}
      </div>
      {error !== undefined && <ErrorNote error={error} />}
    </section>
  );
}
