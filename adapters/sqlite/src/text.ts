/**
 * SQLite keeps text as UTF-8, which has no lone surrogates, and several of its functions stop at a NUL. Names that
 * hold such a character are kept with an escape in its place; all others stay readable as they are. JSON texts need
 * none of it: `JSON.stringify` escapes these characters itself.
 */
const ESCAPE = "\u001a";
const UNSAFE = new RegExp(`[\u0000${ESCAPE}\\p{Surrogate}]`, "gu");
const ESCAPED = new RegExp(`${ESCAPE}([0-9a-f]{4})`, "g");

/** Matches every text that has something to escape, and others; many times quicker to ask for. */
const SUSPECT = new RegExp(`[\u0000${ESCAPE}\\ud800-\\udfff]`);

/** Two different texts never become the same one. */
export function escapeText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replace(UNSAFE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function unescapeText(text: string): string {
  return text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Compares texts as the database orders them: by the bytes of what is kept. */
export function compareKept(one: string, other: string): number {
  const [a, b] = [escapeText(one), escapeText(other)];
  let index = 0;
  while (index < a.length && a.charCodeAt(index) === b.charCodeAt(index)) index++;
  return rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
}

/** The end of a text comes first, and in UTF-8 the characters that have two units last. */
function rank(unit: number): number {
  if (Number.isNaN(unit)) return -1;
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** Whether it has no half of a character by itself. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Cuts a text into pieces of at most `length` UTF-16 units (at least 2), never between the halves of a character. */
export function cutText(text: string, length: number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + length, text.length);
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
