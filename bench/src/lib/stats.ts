/** What repeated measurements of one thing came to. */
export interface Sample {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
}

/** @param fraction 0 is the least, 0.5 the median, 1 the greatest */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) throw new RangeError("a quantile of nothing");
  const sorted = values.toSorted((left, right) => left - right);
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position % 1);
}

export function sampleOf(values: readonly number[]): Sample {
  return { median: quantile(values, 0.5), low: quantile(values, 0), high: quantile(values, 1), values };
}

/**
 * How two things compare that were measured in the same rounds: the median of each round's ratio. What slows the machine
 * down for a while slows down both sides of a round, so that this is steadier than the ratio of the two medians.
 */
export function ratioOf(one: Sample, other: Sample): Sample {
  if (one.values.length !== other.values.length) throw new RangeError("not measured in the same rounds");
  return sampleOf(one.values.map((value, round) => value / (other.values[round] as number)));
}
