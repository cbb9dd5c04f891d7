import { defineStep } from "@hephaestus/core";

export const first = defineStep({ name: "first", run: () => null });
