import { commitOf } from "@hephaestus/core/testing/conformance";
import { expect, it, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";

it("a storage hears what another connection changed, not what conflicted, nor what it changed itself", async () => {
  const options = fresh();
  const [storage, other] = [opened(options), opened(options)];
  const heard: string[] = [];
  const own = vi.fn();
  storage.watch?.((id) => heard.push(id));
  other.watch?.(own);
  await other.commit([commitOf("a", 0), commitOf("b", 0)]);
  await other.commit([commitOf("a", 0), commitOf("c", 0)]);
  await vi.waitFor(() => expect(heard).toEqual(["a", "b", "c"]));
  expect(own).not.toHaveBeenCalled();
});

it("hears nothing of another namespace, nor after it stopped listening", async () => {
  const options = fresh();
  const [storage, other, elsewhere] = [opened(options), opened(options), opened(fresh())];
  const stopped = vi.fn();
  const heard = vi.fn();
  storage.watch?.(stopped)();
  storage.watch?.(heard);
  await elsewhere.commit([commitOf("elsewhere", 0)]);
  await other.commit([commitOf("a", 0)]);
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([["a"]]));
  expect(stopped).not.toHaveBeenCalled();
});

it("ignores what is not a list of ids", async () => {
  const options = fresh();
  const [storage, other] = [opened(options), opened(options)];
  const heard = vi.fn();
  storage.watch?.(heard);
  const channel = new BroadcastChannel(`hephaestus:${options.name}/default`);
  for (const odd of [null, "x", 3, { id: "x" }, [3, null]]) channel.postMessage(odd);
  channel.close();
  await other.commit([commitOf("a", 0)]);
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([["a"]]));
});

it("a page that sleeps hears nothing, and hears again when it is awake", async () => {
  const options = fresh();
  const storage = opened(options);
  const heard: string[] = [];
  storage.watch?.((id) => heard.push(id));
  const other = new BroadcastChannel(`hephaestus:${options.name}/default`);
  document.dispatchEvent(new Event("freeze"));
  other.postMessage(["asleep"]);
  document.dispatchEvent(new Event("resume"));
  other.postMessage(["awake"]);
  await vi.waitFor(() => expect(heard).toEqual(["awake"]));
  other.close();
});
