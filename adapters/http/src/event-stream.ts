/** One Server-Sent Event. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
  readonly id: string;
}

/**
 * Reads the events of a `text/event-stream` as the HTML standard parses them: any line end, comments, several lines
 * of data, a chunk that ends anywhere. An event that was cut off at the end is dropped. Whoever stops iterating ends
 * the stream, and so does the signal.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<StreamEvent, void, undefined> {
  let id = "";
  let name = "";
  let data: string[] = [];
  for await (const line of readLines(body, signal)) {
    if (line === "") {
      if (data.length > 0) yield { name: name === "" ? "message" : name, data: data.join("\n"), id };
      name = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

async function* readLines(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const end = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", end);
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the end may be the first half of a line end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}
