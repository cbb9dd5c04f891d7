import { type ErrorCode, HephaestusError } from "@hephaestus/core";
import { describe, expect, it } from "vitest";
import { STATUS_OF } from "./error-status.ts";
import { HttpProblem, PROBLEM_MEMBERS, toProblemResponse } from "./problem.ts";

async function told(error: unknown) {
  const { response, unexpected } = toProblemResponse(error);
  return { status: response.status, unexpected, problem: await response.json() };
}

describe("an error", () => {
  it.each(Object.entries(STATUS_OF))("of code %s is answered with %i", async (code, expected) => {
    const { status, problem } = await told(new HephaestusError(code as ErrorCode, "why"));
    expect([status, problem.status]).toEqual([expected, expected]);
    expect(problem.code).toBe(expected === 500 ? "INTERNAL" : code);
  });

  it("that lost its class on a wire is known by its name and code", async () => {
    const error = Object.assign(new Error("it is there"), {
      name: "HephaestusError",
      code: "ALREADY_RUNNING",
      details: { id: "a" },
    });
    expect(await told(error)).toMatchObject({ status: 409, problem: { id: "a", detail: "it is there" } });
    expect(await told({ name: "HephaestusError", code: "PARKED", message: "m" })).toMatchObject({ status: 409 });
  });

  it.each([
    new Error("secret"),
    Object.assign(new Error("secret"), { code: "ALREADY_RUNNING" }),
    Object.assign(new Error("secret"), { name: "HephaestusError", code: "__proto__" }),
    { name: "HephaestusError", code: 1 },
    "secret",
    undefined,
    null,
    Symbol("secret"),
  ])("that nobody foresaw is 500 and not shown", async (error) => {
    const { status, unexpected, problem } = await told(error);
    expect([status, unexpected, problem.code]).toEqual([500, true, "INTERNAL"]);
    expect(JSON.stringify(problem)).not.toContain("secret");
  });

  it("tells its details beside what every problem has, and none of them replaces that", async () => {
    const details = Object.fromEntries([...PROBLEM_MEMBERS, "id"].map((name) => [name, `own ${name}`]));
    const { problem } = await told(new HephaestusError("PARKED", "why", details));
    const { id: _id, ...colliding } = details;
    expect(problem).toEqual({
      type: "urn:hephaestus:problem:parked",
      title: "Parked",
      status: 409,
      detail: "why",
      code: "PARKED",
      id: "own id",
      details: colliding,
    });
  });

  it("tells details that are no JSON as far as they can be told", async () => {
    const cycle: Record<string, unknown> = {
      big: 1n,
      nan: Number.NaN,
      error: new Error("x"),
      at: new Date(0),
      no: undefined,
    };
    cycle.self = cycle;
    cycle.call = () => {};
    cycle.deep = [[[[[[[[[[1]]]]]]]]]];
    const { status, problem } = await told(
      new HephaestusError("PARKED", "why", { cycle, list: [undefined, () => 1, Symbol("s")] }),
    );
    expect(status).toBe(409);
    expect(problem.cycle).toMatchObject({ big: "1", nan: "NaN", error: { name: "Error", message: "x" } });
    expect(problem.list).toEqual([null, "a function", "Symbol(s)"]);
  });

  it("of HTTP's own has its headers", () => {
    const { response } = toProblemResponse(new HttpProblem("METHOD_NOT_ALLOWED", "no", { allow: "GET" }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
