export * from "./one.js";

setInterval(() => {}, 1_000);
