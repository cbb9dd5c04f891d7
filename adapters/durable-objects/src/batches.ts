/** Divides items, in order, into the fewest batches of at most so many and at most this size; a larger one is alone. */
export function inBatches<Item>(
  items: readonly Item[],
  { count, size, sizeOf }: { readonly count: number; readonly size: number; readonly sizeOf: (item: Item) => number },
): readonly (readonly Item[])[] {
  const batches: Item[][] = [];
  let batch: Item[] = [];
  let filled = 0;
  for (const item of items) {
    const own = sizeOf(item);
    if (batch.length === 0 || batch.length === count || filled + own > size) {
      batch = [];
      batches.push(batch);
      filled = 0;
    }
    batch.push(item);
    filled += own;
  }
  return batches;
}
