import { library } from "../tsdown.config.ts";

export default library(["src/index.ts", "src/drawing/index.ts", "src/testing/index.ts", "src/testing/conformance.ts"], {
  tsconfig: "tsconfig.build.json",
});
