import { describe, expect, it } from "vitest";
import { harness } from "../test/harness.ts";
import { BODY_LIMIT_BYTES } from "./body.ts";

const START = "/workflows/note_flow/instances";
const json = { "content-type": "application/json" };

/** A body without a length, of which each chunk is made when it is asked for. */
function chunked(chunkBytes: number, chunks: number) {
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (pulled++ === chunks) controller.close();
        else controller.enqueue(new Uint8Array(chunkBytes).fill(32));
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, pulled: () => pulled, cancelled: () => cancelled };
}

function post(app: ReturnType<typeof harness>["app"], body: BodyInit, headers: Record<string, string> = json) {
  return app.request(START, { method: "POST", headers, body, duplex: "half" } as RequestInit);
}

describe("the limit of a body", () => {
  it("is 413 at one byte more, and not before", async () => {
    const { app } = harness({ bodyLimit: 100 });
    const fits = `{"input":{"text":"${"x".repeat(100 - 21)}"}}`;
    expect(fits).toHaveLength(100);
    expect((await post(app, fits)).status).toBe(201);
    const over = await post(app, `${fits} `);
    expect(over.status).toBe(413);
    expect(await over.json()).toMatchObject({ code: "LIMIT_EXCEEDED", limit: "BODY_LIMIT_BYTES", most: 100 });
  });

  it("believes a length that is over it, and reads nothing", async () => {
    const { body, pulled } = chunked(1_000, 5_000);
    const headers = { ...json, "content-length": String(BODY_LIMIT_BYTES + 1) };
    expect((await post(harness().app, body, headers)).status).toBe(413);
    expect(pulled()).toBe(0);
  });

  it.each([{}, { "content-length": "10" }, { "content-length": "abc" }])(
    "stops reading a chunked body when it is over, whatever its headers promise",
    async (promise) => {
      const { body, pulled, cancelled } = chunked(65_536, 10_000);
      expect((await post(harness().app, body, { ...json, ...promise })).status).toBe(413);
      expect(pulled()).toBe(BODY_LIMIT_BYTES / 65_536 + 1);
      expect(cancelled()).toBe(true);
    },
  );

  it("holds for every route that takes a body", async () => {
    const { app } = harness({ bodyLimit: 10 });
    for (const { path } of app.routes.filter(({ method }) => method === "POST")) {
      const init = { method: "POST", headers: json, body: " ".repeat(11) };
      expect([path, (await app.request(path.replace(/:\w+/g, "a"), init)).status]).toEqual([path, 413]);
    }
  });
});

describe("the content of a body", () => {
  it.each([
    ["text", "text/plain"],
    ["a form", "application/x-www-form-urlencoded"],
    ["several parts", "multipart/form-data; boundary=x"],
    ["something like JSON", "application/jsonp"],
    ["nonsense", ";;;"],
  ])("of %s is 415", async (_what, type) => {
    const response = await post(harness().app, "{}", { "content-type": type });
    expect([response.status, (await response.json()).code]).toEqual([415, "CONTENT_TYPE_UNSUPPORTED"]);
  });

  it.each(["application/json; charset=utf-8", "Application/JSON", "application/vnd.shop+json"])(
    "of %s is read",
    async (type) => {
      expect((await post(harness().app, `{"input":{"text":"a"}}`, { "content-type": type })).status).toBe(201);
    },
  );

  it("that is compressed is 415", async () => {
    expect((await post(harness().app, "{}", { ...json, "content-encoding": "gzip" })).status).toBe(415);
  });

  it.each([
    ["a brace", "{"],
    ["two values", "{} {}"],
    ["NaN", `{"input":NaN}`],
    ["half a text", `{"input":"`],
    ["bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
  ])("of %s is 400, and is not quoted", async (_what, body) => {
    const response = await post(harness().app, body);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        type: "urn:hephaestus:problem:json-malformed",
        title: "Json malformed",
        status: 400,
        detail: "the body is not JSON in UTF-8",
        code: "JSON_MALFORMED",
      },
    ]);
  });

  it("that nests without end is refused, not overflowed", async () => {
    const text = `{"input":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    expect((await post(harness().app, text)).status).toBe(422);
  });

  it("that breaks off is 400", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("reset by peer")) });
    const response = await post(harness().app, body);
    expect([response.status, (await response.json()).code]).toEqual([400, "BODY_UNREADABLE"]);
  });
});
