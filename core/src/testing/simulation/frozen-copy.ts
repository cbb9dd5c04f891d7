/**
 * A copy of what is to be JSON, which nobody can change: what `JSON.parse(JSON.stringify(value))` gives, but that
 * what would not come back as it was is an error.
 * @throws TypeError
 */
export function frozenCopy<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null || Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(copyOf));
  if (typeof value === "object" && isPlain(value)) return copyOfObject(value as Record<string, unknown>);
  throw new TypeError(`what is no JSON is to be stored: ${typeof value} ${JSON.stringify(value)}`);
}

function copyOfObject(value: Record<string, unknown>): object {
  const copy = { ...value };
  for (const name in copy) {
    const part = copy[name];
    if (part === undefined) delete copy[name];
    else if (typeof part !== "string") copy[name] = copyOf(part);
  }
  return Object.freeze(copy);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
