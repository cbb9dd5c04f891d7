import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { missingOptionals, platformOf } from "./lock.mjs";

describe("package-lock.json", () => {
  it("holds every optional dependency, also those of other platforms (if not: `npm run lock`)", () => {
    const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
    expect(missingOptionals(packages)).toEqual([]);
  });

  it("is seen to miss one", () => {
    const tool = {
      version: "2.0.0",
      optionalDependencies: { "tool-linux-x64": "2.0.0", "tool-darwin-arm64": "2.0.0" },
    };
    const packages = {
      "node_modules/a/node_modules/tool": tool,
      "node_modules/tool-linux-x64": { version: "2.0.0" },
      "node_modules/tool-darwin-arm64": { version: "1.0.0" },
    };
    expect(missingOptionals(packages).map(({ name }) => name)).toEqual(["tool-darwin-arm64"]);
  });

  it("tells a platform from a package's name", () => {
    const platform = (name: string) => platformOf(name);
    expect(platform("@cloudflare/workerd-windows-64")).toEqual({ os: ["win32"], cpu: ["x64"], optional: true });
    expect(platform("@a/binding-linux-arm-musleabihf")).toMatchObject({ os: ["linux"], cpu: ["arm"], libc: ["musl"] });
    expect(platform("@deno/linux-arm64-glibc")).toMatchObject({ os: ["linux"], cpu: ["arm64"], libc: ["glibc"] });
    expect(platform("fsevents")).toBeUndefined();
  });
});
