import { library } from "../../tsdown.config.ts";

export default {
  ...library(["src/index.ts", "src/node.ts"]),
  // The one platform module, which only ./node imports.
  deps: { neverBundle: ["node:sqlite"] },
};
