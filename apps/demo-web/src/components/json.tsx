import type { Json, StoredError } from "@hephaestus/core";

/** A value that opens: its beginning in one line, and all of it below. */
export function JsonDetails({ label, value }: { readonly label: string; readonly value: Json }) {
  return (
    <details class="json">
      <summary>
        <span class="json-label">{label}</span> <code class="preview">{JSON.stringify(value)}</code>
      </summary>
      <pre>{JSON.stringify(value, undefined, 2)}</pre>
    </details>
  );
}

/** An error as it was stored: its code and message, and the stack for who wants it. */
export function StoredErrorText({ error }: { readonly error: StoredError }) {
  const { code, name, message, stack, cause } = error;
  const line = (
    <>
      <code>{code ?? name}</code> {message}
    </>
  );
  return (
    <div class="stored-error">
      {stack === undefined ? (
        <p>{line}</p>
      ) : (
        <details>
          <summary>{line}</summary>
          <pre>{stack}</pre>
        </details>
      )}
      {cause !== undefined && <StoredErrorText error={cause} />}
    </div>
  );
}
