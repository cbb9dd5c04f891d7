/**
 * What is there at once most of the time, and sometimes only later. Awaiting what is there costs a turn of the
 * microtask queue and a promise each time: on the way of every step that is most of its price.
 */
export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Goes on with a value, now or when it is there. */
export function whenThere<T, U>(value: MaybePromise<T>, use: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(use) : use(value);
}
