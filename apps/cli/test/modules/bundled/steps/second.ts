import { defineStep } from "@hephaestus/core";

export const second = defineStep({ name: "second", run: () => null });
