export * from "./simulation/index.ts";
export * from "./virtual-clock.ts";
