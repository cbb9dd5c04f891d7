import type { ComponentChildren } from "preact";
import { describeError } from "../source/instance-source.ts";

/** Something that went wrong, with its code. */
export function ErrorNote({ error }: { readonly error: unknown }) {
  const { code, message } = describeError(error);
  return (
    <p class="note note-error" role="alert">
      <code>{code}</code> {message}
    </p>
  );
}

/** Something to know, told quietly. */
export function Note({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="note" role="status">
      {children}
    </p>
  );
}
