import { hrefOf } from "../route.ts";
import type { SourceName } from "../source/instance-source.ts";

const LABELS: readonly (readonly [SourceName, string])[] = [
  ["tab", "This tab"],
  ["edge", "Edge"],
];

/** Whose instances are shown: links, so that the choice stands in the address. */
export function SourceSwitch({ source }: { readonly source: SourceName }) {
  return (
    <nav class="switch" aria-label="Where instances live">
      {LABELS.map(([name, label]) => (
        <a
          key={name}
          href={hrefOf({ view: "list", source: name })}
          {...(name === source ? { "aria-current": "true" as const } : {})}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}
