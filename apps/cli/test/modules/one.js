import { defineStep, defineWorkflow, done, type } from "@hephaestus/core";

console.log("a module that talks");
const hello = defineStep({ name: "hello", run: () => "hello" });
export const workflows = [
  defineWorkflow({ name: "greeting", input: type(), start: hello, transitions: ({ on }) => [on(hello, { done })] }),
];
