export const nothing = { name: "nothing", version: 1 };
