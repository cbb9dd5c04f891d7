import fc from "fast-check";
import { expect, it } from "vitest";
import { readEvents, type StreamEvent } from "./event-stream.ts";

/** A stream whose chunks end where they are told to. */
function streamOf(text: string, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let from = 0;
      for (const end of ends) {
        controller.enqueue(bytes.slice(from, end));
        from = end;
      }
      controller.close();
    },
  });
}

async function read(text: string, cuts?: readonly number[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of readEvents(streamOf(text, cuts))) events.push(event);
  return events;
}

const STREAM = `: hello\nretry: 10\n\nevent: change\nid: 1\ndata: {"a":\ndata:"é"}\n\ndata\n\nid\ndata:  two\n\nevent: cut\ndata: off`;
const EVENTS = [
  { name: "change", data: '{"a":\n"é"}', id: "1" },
  { name: "message", data: "", id: "1" },
  { name: "message", data: " two", id: "" },
];

it("reads events, comments, several lines of data, and drops one that was cut off", async () => {
  expect(await read(STREAM)).toEqual(EVENTS);
});

it("reads them whatever ends the lines and wherever chunks end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("\n", "\r\n", "\r"), fc.array(fc.nat(200)), async (end, cuts) => {
      expect(await read(STREAM.replaceAll("\n", end), cuts)).toEqual(EVENTS);
    }),
  );
});

it("ends the stream when it is no longer read", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const _event of readEvents(body)) break;
  expect(cancelled).toBe(true);
});
