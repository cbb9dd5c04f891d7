export { freePort, isUp, type Server, type ServerCommand, startServer } from "./server.ts";
export { type Call, startWitness, type Witness } from "./witness.ts";
export { type WranglerDev, wranglerDev } from "./wrangler.ts";
