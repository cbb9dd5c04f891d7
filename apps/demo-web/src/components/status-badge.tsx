import type { RunStatus } from "@hephaestus/core";

export function StatusBadge({ status, parked = false }: { readonly status: RunStatus; readonly parked?: boolean }) {
  return (
    <span class={`badge tone-${parked ? "paused" : status}`}>
      <span class="dot" aria-hidden="true" />
      {parked ? "parked" : status}
    </span>
  );
}
