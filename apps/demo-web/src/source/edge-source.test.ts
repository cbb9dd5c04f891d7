import { afterEach, describe, expect, it, vi } from "vitest";
import { edgeSource } from "./edge-source.ts";
import { UNAUTHENTICATED } from "./instance-source.ts";

const json = (body: unknown, status = 200, type = "application/json") =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": type } });

function answering(...answers: readonly (Response | Error)[]) {
  const rest = [...answers];
  const fetched = vi.fn(async (_url: string, _request: RequestInit) => {
    const answer = rest.shift();
    if (answer instanceof Response) return answer;
    throw answer ?? new TypeError("Failed to fetch");
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

describe("the edge", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("is asked for instances by their encoded id", async () => {
    const fetched = answering(json({ items: [] }), json({ id: "x" }), json({ items: [] }));
    await edgeSource().list({ limit: 25, status: "waiting" });
    await edgeSource().get("flow/key::1-2");
    await edgeSource({ base: "/api" }).history("flow/key::1-2");
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([
      "/instances?limit=25&status=waiting",
      "/instances/flow%2Fkey%3A%3A1-2",
      "/api/instances/flow%2Fkey%3A%3A1-2/history",
    ]);
  });

  it("reads a history with and without a frame", async () => {
    const entry = { revision: 1, at: 1, type: "status", status: "running" };
    answering(json({ items: [entry] }), json([entry]));
    expect(await edgeSource().history("a")).toEqual([entry]);
    expect(await edgeSource().history("a")).toEqual([entry]);
  });

  it("starts and sends with JSON, and takes an answer without a body", async () => {
    const fetched = answering(
      json({ id: "flow/key::1", run: 1 }, 201),
      json({ outcome: "queued" }, 202),
      new Response(null, { status: 204 }),
    );
    expect(await edgeSource().start("flow", "1", { title: "x" })).toEqual({ id: "flow/key::1", run: 1 });
    expect(await edgeSource().send("a", "approved", { reviewer: "ada" })).toBe("queued");
    await edgeSource().act("a", "pause");
    expect(fetched.mock.calls.map(([url, { method, body }]) => [method, url, body])).toEqual([
      ["POST", "/workflows/flow/instances", '{"key":"1","input":{"title":"x"}}'],
      ["POST", "/instances/a/events", '{"event":"approved","payload":{"reviewer":"ada"}}'],
      ["POST", "/instances/a/pause", "{}"],
    ]);
  });

  it("is sent the token that it wants, once there is one", async () => {
    const fetched = answering(json({ title: "Unauthorized", code: "UNAUTHENTICATED" }, 401), json({ items: [] }));
    let token: string | undefined;
    const edge = edgeSource({ token: () => token });
    await expect(edge.list({ limit: 1 })).rejects.toMatchObject({ code: UNAUTHENTICATED });
    token = "secret";
    await edge.list({ limit: 1 });
    const sent = fetched.mock.calls.map(([, { headers }]) => new Headers(headers).get("authorization"));
    expect(sent).toEqual([null, "Bearer secret"]);
  });

  it("tells an error by the engine's code", async () => {
    const problem = { title: "Conflict", status: 409, detail: "it is completed", code: "STATUS_REFUSES" };
    answering(json(problem, 409, "application/problem+json"), json({ title: "Too many requests" }, 429));
    await expect(edgeSource().act("a", "pause")).rejects.toMatchObject({
      code: "STATUS_REFUSES",
      message: "it is completed",
    });
    await expect(edgeSource().get("a")).rejects.toMatchObject({ code: "HTTP_429", message: "Too many requests" });
  });

  it.each([
    ["nobody answers", new TypeError("Failed to fetch")],
    [
      "a file server answers with the page",
      new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    ],
    ["a proxy says that it is away", new Response("bad gateway", { status: 502 })],
  ])("is unreachable when %s", async (_what, answer) => {
    answering(answer);
    await expect(edgeSource().list({ limit: 25 })).rejects.toMatchObject({ code: "EDGE_UNREACHABLE" });
  });
});
