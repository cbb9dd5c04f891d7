import { describe, expect, it } from "vitest";
import { measureRates } from "./rounds.ts";
import { quantile, ratioOf, sampleOf } from "./stats.ts";
import { markdownTable, number, replaceBetween } from "./table.ts";

describe("the harness of the measurements", () => {
  it("takes quantiles between the values it has", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 1)).toBe(30);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });

  it("compares round by round, so that a slow round counts once for both sides", () => {
    const one = sampleOf([100, 10, 100]);
    const other = sampleOf([50, 5, 50]);
    expect(ratioOf(one, other)).toMatchObject({ median: 2, low: 2, high: 2 });
    expect(() => ratioOf(one, sampleOf([1]))).toThrow(RangeError);
  });

  it("lets every contender work in every round, each round another one first", async () => {
    const turns: string[] = [];
    const contender = (name: string) => ({ name, prepare: () => void turns.push(name), work: () => 1 });
    const rates = await measureRates([contender("a"), contender("b")], { rounds: 3, roundMs: 0, warmUpMs: 0 });
    expect(turns.join("")).toBe("ab" + "ab" + "ba" + "ab");
    expect(rates).toMatchObject({ a: { values: { length: 3 } }, b: { values: { length: 3 } } });
  });

  it("writes a table that a formatter leaves alone", () => {
    const columns = [{ title: "what" }, { title: "rate", align: "right" }] as const;
    expect(markdownTable(columns, [["chain", "1,230"]])).toBe(
      ["| what  |  rate |", "| ----- | ----: |", "| chain | 1,230 |"].join("\n"),
    );
    expect([number(1_234_567), number(12.345), number(0)]).toEqual(["1,230,000", "12.3", "0"]);
  });

  it("replaces only what stands between the markers of a name, and refuses when there are none", () => {
    const before = "x\n<!-- bench:a -->\nold\n<!-- /bench:a -->\ny";
    const after = replaceBetween(before, "bench:a", "new");
    expect(after).toBe("x\n<!-- bench:a -->\n\nnew\n\n<!-- /bench:a -->\ny");
    expect(replaceBetween(after, "bench:a", "new")).toBe(after);
    expect(() => replaceBetween(before, "bench:b", "new")).toThrow("no markers");
  });
});
