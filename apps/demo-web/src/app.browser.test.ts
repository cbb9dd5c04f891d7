import { createHephaestus } from "@hephaestus/core";
import { pullRequestFlow } from "@hephaestus/example-workflows";
import { h, render } from "preact";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { page } from "vitest/browser";
import { App } from "./app.tsx";
import { type KeptPage, keepPage } from "./offline/keep-page.ts";
import { type InstanceSource, SourceError, type SourceName, UNREACHABLE } from "./source/instance-source.ts";
import { withListSignal } from "./source/list-signal.ts";
import { tabSource } from "./source/tab-source.ts";
import { localCodeHost } from "./tab/local-code-host.ts";

beforeEach(() => {
  localStorage.clear();
  location.hash = "";
  localCodeHost().configure({ callMs: 10 });
});

/** A source over an engine in memory: both sides look the same to the page. */
function sourceInMemory(name: SourceName): InstanceSource {
  const connectors = { codeHost: localCodeHost().connector };
  const engine = createHephaestus({ workflows: [pullRequestFlow], connectors });
  onTestFinished(() => engine.close());
  return { ...tabSource(engine), name };
}

function show(tab: InstanceSource, edge: InstanceSource, kept = keepPage()): void {
  const root = document.body.appendChild(document.createElement("div"));
  const sources = { tab: withListSignal(tab), edge: withListSignal(edge) };
  render(h(App, { sources, codeHost: localCodeHost(), page: kept }), root);
  onTestFinished(() => {
    render(null, root);
    root.remove();
  });
}

const inList = () =>
  page.getByRole("region", { name: "Instances" }).getByRole("link", { name: /anvil|Quench|fire|heat/ });

it.each([
  ["tab", "This tab", "Start in this tab"],
  ["edge", "Edge", "Start at the edge"],
] as const)("an instance of the %s is started, listed, shown and controlled", async (_name, where, start) => {
  show(sourceInMemory("tab"), sourceInMemory("edge"));
  await page.getByRole("link", { name: where }).click();
  await page.getByRole("link", { name: "Start one" }).click();
  await page.getByRole("button", { name: start }).click();
  const detail = page.getByRole("article");
  await expect.element(detail.getByText("waiting", { exact: true }).first()).toBeVisible();
  await expect.element(inList()).toMatchTextContent(/waiting/);
  await expect.element(detail.getByRole("img", { name: /10 steps of pull_request_flow/ })).toBeVisible();

  await page.getByRole("button", { name: "Pause" }).click();
  await expect.element(inList()).toMatchTextContent(/paused/);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Send" }).click();
  await expect.element(inList()).toMatchTextContent(/completed/);
  await expect.element(page.getByText("approved was delivered.")).toBeVisible();
  await expect.element(detail.getByText("completed: ready").first()).toBeVisible();
  await page.getByRole("button", { name: "Restart" }).click();
  await expect.element(inList().first()).toMatchTextContent(/run 2/);
});

it("filters by status", async () => {
  const tab = sourceInMemory("tab");
  show(tab, sourceInMemory("edge"));
  await page.getByRole("button", { name: "Start in this tab" }).click();
  await expect.element(inList()).toMatchTextContent(/waiting/);
  await page.getByRole("combobox", { name: "Status" }).selectOptions("failed");
  await expect.element(page.getByText("None with this status.")).toBeVisible();
  await page.getByRole("combobox", { name: "Status" }).selectOptions("waiting");
  await expect.element(inList()).toMatchTextContent(/waiting/);
});

it("says quietly that the edge is away, while the tab goes on", async () => {
  const away = () => Promise.reject(new SourceError(UNREACHABLE, "The edge does not answer."));
  const edge: InstanceSource = { ...sourceInMemory("edge"), list: away, start: away };
  show(sourceInMemory("tab"), edge);
  await page.getByRole("link", { name: "Edge" }).click();
  await expect.element(page.getByRole("status")).toMatchTextContent(/The edge is not reachable just now\./);
  await page.getByRole("button", { name: "Start at the edge" }).click();
  await expect.element(page.getByRole("alert")).toMatchTextContent(/EDGE_UNREACHABLE The edge does not answer\./);
  await page.getByRole("link", { name: "This tab" }).click();
  await page.getByRole("button", { name: "Start in this tab" }).click();
  await expect.element(inList()).toMatchTextContent(/waiting/);
});

it("shows a refused start with its code, and an event that is not JSON", async () => {
  const tab = sourceInMemory("tab");
  show(tab, sourceInMemory("edge"));
  const number = page.getByRole("spinbutton", { name: "Number" });
  await number.fill("5");
  await page.getByRole("button", { name: "Start in this tab" }).click();
  await expect.element(inList()).toMatchTextContent(/waiting/);
  await page.getByRole("textbox", { name: /Payload/ }).fill("{");
  await page.getByRole("button", { name: "Send" }).click();
  await expect.element(page.getByRole("alert")).toMatchTextContent(/PAYLOAD_INVALID/);
  await page.getByRole("link", { name: "Start one" }).click();
  await number.fill("5");
  await page.getByRole("button", { name: "Start in this tab" }).click();
  await expect.element(page.getByRole("alert")).toMatchTextContent(/ALREADY_RUNNING/);
});

it("says that it is offline for as long as it is, and offers a newer version", async () => {
  let online = false;
  const listeners = new Set<() => void>();
  const reloaded = vi.fn();
  const kept: KeptPage = {
    state: () => ({ online, reload: reloaded }),
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    outdated() {},
  };
  show(sourceInMemory("tab"), sourceInMemory("edge"), kept);
  await expect.element(page.getByText("Offline")).toBeVisible();
  await page.getByRole("button", { name: "New version: reload" }).click();
  expect(reloaded).toHaveBeenCalledTimes(1);
  online = true;
  for (const changed of listeners) changed();
  await expect.element(page.getByText("Offline")).not.toBeInTheDocument();
});
