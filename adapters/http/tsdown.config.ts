import { library } from "../../tsdown.config.ts";

export default library(["src/index.ts", "src/client.ts"]);
