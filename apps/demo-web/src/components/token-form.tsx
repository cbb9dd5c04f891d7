import { useState } from "preact/hooks";
import { edgeToken } from "../source/edge-token.ts";

/** Asks for the token that the edge wants of its callers. */
export function TokenForm({ changed }: { changed(): void }) {
  const [token, setToken] = useState("");
  const submit = (submitted: SubmitEvent) => {
    submitted.preventDefault();
    edgeToken().write(token.trim());
    changed();
  };
  return (
    <form class="note token" onSubmit={submit}>
      <label class="field">
        <span>The edge wants an access token (its API_TOKEN). It is kept until this tab is closed.</span>
        <input
          type="password"
          required
          autocomplete="off"
          value={token}
          onInput={({ currentTarget: input }) => setToken(input.value)}
        />
      </label>
      <button type="submit" class="button">
        Use it
      </button>
    </form>
  );
}
