import { defineConfig } from "vite";

export default defineConfig({
  resolve: { conditions: ["@hephaestus/source", "module", "browser", "development|production"] },
  build: { target: "es2023" },
});
