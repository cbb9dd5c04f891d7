/** What must be connected between two layers: a column above, and one or more below. */
export interface Net {
  readonly top: number;
  readonly bottoms: readonly number[];
}

/** The lines that connect them. Rows count from the channel's top; a line from 3 to 2 has no length. */
export interface Channel {
  readonly rows: number;
  readonly horizontals: readonly { readonly row: number; readonly from: number; readonly to: number }[];
  readonly verticals: readonly { readonly column: number; readonly from: number; readonly to: number }[];
  /** Where a horizontal line meets a vertical one of its own. */
  readonly joints: readonly { readonly row: number; readonly column: number }[];
}

/** A net with one horizontal line, or a part of one that needs two: the lower part hangs on the upper. */
interface Wire extends Net {
  readonly upper?: Wire;
}

/** Between lines that share a row, and between ends that share a column: one place must stay blank. */
const APART = 2;

/**
 * Connects each net so that no two touch: they only cross. Where a net begins in the column in which another ends, its
 * horizontal line must be the upper one; where that goes round in a circle, one net takes a detour through a column
 * that is free.
 *
 * @param nets no two with a common top, no two with a common bottom; all columns even
 */
export function routeChannel(nets: readonly Net[]): Channel {
  const isStraight = ({ top, bottoms }: Net) => bottoms.every((bottom) => bottom === top);
  const taken = new Set(nets.flatMap(({ top, bottoms }) => [top, ...bottoms]));
  const tracks = assignTracks(
    sortUpperFirst(
      nets.filter((net) => !isStraight(net)),
      taken,
    ),
  );
  const rows = Math.max(0, ...[...tracks.values()].map((track) => track + 1));
  const split = new Set([...tracks.keys()].map(({ upper }) => upper));
  const wires = [...tracks].map(([wire, row]) => ({ ...wire, row, isSplit: split.has(wire) }));
  return {
    rows,
    horizontals: wires.map((wire) => ({ row: wire.row, from: spanOf(wire)[0], to: spanOf(wire)[1] })),
    verticals: [
      ...nets.filter(isStraight).map(({ top }) => ({ column: top, from: 0, to: rows - 1 })),
      ...wires.flatMap(({ top, bottoms, row, upper, isSplit }) => [
        { column: top, from: upper ? (tracks.get(upper) ?? 0) + 1 : 0, to: row - 1 },
        ...(isSplit ? [] : bottoms.map((column) => ({ column, from: row + 1, to: rows - 1 }))),
      ]),
    ],
    joints: wires.flatMap(({ top, bottoms, row }) => [top, ...bottoms].map((column) => ({ row, column }))),
  };
}

function assignTracks(wires: readonly Wire[]): ReadonlyMap<Wire, number> {
  const tracks = new Map<Wire, number>();
  for (const wire of wires) {
    let track = 0;
    for (const [other, row] of tracks) if (mustBeAbove(other, wire)) track = Math.max(track, row + APART);
    const isTaken = (row: number) => [...tracks].some(([other, own]) => own === row && areNear(other, wire));
    while (isTaken(track)) track += 1;
    tracks.set(wire, track);
  }
  return tracks;
}

function sortUpperFirst(nets: readonly Net[], taken: Set<number>): readonly Wire[] {
  const open: Wire[] = [...nets];
  const sorted: Wire[] = [];
  while (open.length > 0) {
    const free = open.findIndex((wire) => !open.some((other) => other !== wire && mustBeAbove(other, wire)));
    if (free >= 0) {
      sorted.push(...open.splice(free, 1));
      continue;
    }
    // A circle: the upper part of the detour ends in a column of its own, so that nothing must be above it.
    const [net] = open.splice(0, 1) as [Wire];
    const column = freeColumn(net.top, taken);
    taken.add(column);
    const upper: Wire = { ...net, bottoms: [column] };
    sorted.push(upper);
    open.push({ top: column, bottoms: net.bottoms, upper });
  }
  return sorted;
}

/** One begins above where the other ends below; or the other hangs on it. */
function mustBeAbove(one: Wire, other: Wire): boolean {
  return other.upper === one || (one.upper === undefined && other.bottoms.includes(one.top));
}

function freeColumn(near: number, taken: ReadonlySet<number>): number {
  for (let distance = 2; ; distance += 2) {
    if (near >= distance && !taken.has(near - distance)) return near - distance;
    if (!taken.has(near + distance)) return near + distance;
  }
}

function spanOf({ top, bottoms }: Net): readonly [left: number, right: number] {
  return [Math.min(top, ...bottoms), Math.max(top, ...bottoms)];
}

function areNear(one: Net, other: Net): boolean {
  const [left, right] = spanOf(one);
  const [otherLeft, otherRight] = spanOf(other);
  return left < otherRight + APART && otherLeft < right + APART;
}
