import { useEffect, useRef } from "preact/hooks";
import { Instance } from "./components/instance.tsx";
import { InstanceList } from "./components/instance-list.tsx";
import { PageNotice } from "./components/page-notice.tsx";
import { SourceSwitch } from "./components/source-switch.tsx";
import { StartForm } from "./components/start-form.tsx";
import type { KeptPage } from "./offline/keep-page.ts";
import { hrefOf, useRoute } from "./route.ts";
import type { SourceName } from "./source/instance-source.ts";
import type { ListedSource } from "./source/list-signal.ts";
import type { LocalCodeHost } from "./tab/local-code-host.ts";

export interface AppProps {
  readonly sources: { readonly [name in SourceName]: ListedSource };
  readonly codeHost: LocalCodeHost;
  readonly page: KeptPage;
}

/** The list at the left and what was picked from it at the right; on a narrow screen, one at a time. */
export function App({ sources, codeHost, page }: AppProps) {
  const route = useRoute();
  const source = sources[route.source];
  const main = useRef<HTMLElement>(null);
  const address = hrefOf(route);
  const first = useRef(address);

  // Whoever follows a link by keyboard goes on from there.
  useEffect(() => {
    if (first.current === address) return;
    first.current = address;
    scrollTo(0, 0);
    main.current?.scrollTo(0, 0);
    if (route.view !== "list") main.current?.focus({ preventScroll: true });
  }, [address, route.view]);

  return (
    <div class={`page view-${route.view}`}>
      <header class="top">
        <a class="brand" href={hrefOf({ view: "list", source: route.source })}>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>Hephaestus</span>
        </a>
        <PageNotice page={page} />
        <SourceSwitch source={route.source} />
      </header>
      <InstanceList key={source.name} source={source} {...(route.view === "instance" ? { selected: route.id } : {})} />
      <main class="main" ref={main} tabIndex={-1}>
        {route.view !== "list" && (
          <a class="back" href={hrefOf({ view: "list", source: route.source })}>
            <span aria-hidden="true">‹</span> All instances
          </a>
        )}
        {route.view === "instance" ? (
          <Instance key={`${source.name}:${route.id}`} source={source} id={route.id} codeHost={codeHost} />
        ) : (
          <StartForm source={source} codeHost={codeHost} />
        )}
      </main>
    </div>
  );
}
