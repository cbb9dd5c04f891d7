import { commitOf } from "@hephaestus/core/testing/conformance";
import { expect, it, onTestFinished, vi } from "vitest";
import { fresh, opened } from "../test/fresh.ts";
import { ANSWER_MS, AUDIENCE_MS, changeSignals } from "./change-signals.ts";

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

it("posts nothing where nobody listens, and posts again from the moment that somebody does", async () => {
  const name = `signals-${crypto.randomUUID()}`;
  let time = 0;
  const made = () => {
    const signals = changeSignals(name, () => time);
    onTestFinished(() => signals.close());
    return signals;
  };
  const posted: unknown[] = [];
  const wire = new BroadcastChannel(`hephaestus:${name}`);
  wire.onmessage = ({ data }) => posted.push(...(Array.isArray(data) ? data : []));
  onTestFinished(() => wire.close());

  const writer = made();
  // An answer may be on its way.
  writer.post(["early"]);
  time += ANSWER_MS;
  writer.post(["to nobody"]);

  const heard: string[] = [];
  const reader = made();
  reader.listen((id) => heard.push(id));
  await vi.waitFor(
    () => {
      writer.post(["to somebody"]);
      expect(heard).toContain("to somebody");
    },
    { interval: 1 },
  );
  // It is asked now and then, and goes on to be told.
  time += AUDIENCE_MS + 1;
  writer.post(["still"]);
  await vi.waitFor(() => expect(heard).toContain("still"));

  // Whoever goes does not say so.
  reader.close();
  time += AUDIENCE_MS + 1;
  writer.post(["perhaps"]);
  time += ANSWER_MS;
  writer.post(["to nobody"]);
  const end = new BroadcastChannel(`hephaestus:${name}`);
  end.postMessage(["end"]);
  end.close();
  await vi.waitFor(() => expect(posted).toContain("end"));
  expect([...new Set(posted)]).toEqual(["early", "to somebody", "still", "perhaps", "end"]);
});
