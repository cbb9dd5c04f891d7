import { library } from "../../tsdown.config.ts";

export default library(["src/main.ts"], { platform: "node", dts: false });
