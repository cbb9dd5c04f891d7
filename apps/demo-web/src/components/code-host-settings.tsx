import { useCodeHost } from "../hooks/use-code-host.ts";
import type { LocalCodeHost } from "../tab/local-code-host.ts";

/** How the fake code host behaves: slow enough to watch, or out of order. */
export function CodeHostSettings({ codeHost }: { readonly codeHost: LocalCodeHost }) {
  const { callMs, down } = useCodeHost(codeHost, () => codeHost.settings());
  return (
    <div class="settings">
      <label class="setting">
        <span>Each call takes</span>
        <input
          type="number"
          min="0"
          max="60"
          step="0.5"
          value={callMs / 1_000}
          onChange={({ currentTarget: input }) => {
            if (input.validity.valid && input.value !== "") codeHost.configure({ callMs: input.valueAsNumber * 1_000 });
            else input.value = String(callMs / 1_000);
          }}
        />
        <span>seconds</span>
      </label>
      <label class="setting">
        <input
          type="checkbox"
          checked={down}
          onChange={({ currentTarget: input }) => codeHost.configure({ down: input.checked })}
        />
        <span>It is down: calls fail, steps are tried again</span>
      </label>
    </div>
  );
}
