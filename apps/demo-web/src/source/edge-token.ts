/** The token that the edge wants, where it wants one: kept as long as this tab's session, and sent nowhere else. */
export interface EdgeToken {
  read(): string | undefined;
  write(token: string): void;
}

const TOKEN_KEY = "hephaestus-demo:edge-token";

export function edgeToken(store: Storage = sessionStorage): EdgeToken {
  return {
    read: () => store.getItem(TOKEN_KEY) ?? undefined,
    write: (token) => store.setItem(TOKEN_KEY, token),
  };
}
