import "./styles/base.css";
import "./styles/layout.css";
import "./styles/values.css";
import "./styles/graph.css";
import "./styles/instance.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { keepPage } from "./offline/keep-page.ts";
import { edgeSource } from "./source/edge-source.ts";
import { edgeToken } from "./source/edge-token.ts";
import { withListSignal } from "./source/list-signal.ts";
import { tabSource } from "./source/tab-source.ts";
import { localCodeHost } from "./tab/local-code-host.ts";
import { makeTabEngine } from "./tab/tab-engine.ts";

// Made with the page, not with a component: what an earlier page left unfinished goes on at once, whatever is shown.
const codeHost = localCodeHost();
const page = keepPage();
const hephaestus = makeTabEngine(codeHost.connector, { onOutdated: page.outdated });

const root = document.getElementById("app");
if (root) {
  const sources = {
    tab: withListSignal(tabSource(hephaestus)),
    edge: withListSignal(edgeSource({ token: edgeToken().read })),
  };
  render(<App sources={sources} codeHost={codeHost} page={page} />, root);
}
