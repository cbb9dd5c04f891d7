/** A value while it is being made: fields that are absent by default are added one by one, with no object in between. */
export type Writable<T> = { -readonly [Field in keyof T]: T[Field] };
