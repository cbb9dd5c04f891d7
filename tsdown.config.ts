import { defineConfig, type UserConfig } from "tsdown";

/**
 * How every library is built: each entry of its package.json's `exports` becomes dist/<entry>.js with its types.
 * Dependencies stay imports, also those on our own packages.
 */
export function library(entry: string[], options: UserConfig = {}): UserConfig {
  return defineConfig({
    entry,
    format: "esm",
    target: "es2023",
    // Says nothing of a platform: what a package needs of one, its adapter imports by name.
    platform: "neutral",
    dts: true,
    sourcemap: true,
    // A name that changes with each build would leave the chunk of the last one in dist, and in what is packed.
    hash: false,
    // .js and .d.ts, as `exports` names them: the packages are modules anyway.
    fixedExtension: false,
    publint: true,
    ...options,
  }) as UserConfig;
}
