import { defineConfig } from "vite";

export default defineConfig({
  // JSX without a plugin: what preact needs of a build is these two lines.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2023", sourcemap: true },
});
