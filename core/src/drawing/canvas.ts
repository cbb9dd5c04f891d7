/** A sheet of characters that grows as it is written on. */
export interface Canvas {
  /** Writes a text from a place to the right. */
  put(row: number, column: number, text: string): void;
  /** The lines, without blanks at their ends. */
  toText(): string;
}

export function makeCanvas(): Canvas {
  const lines: string[][] = [];
  return {
    put(row, column, text) {
      while (lines.length <= row) lines.push([]);
      const line = lines[row] as string[];
      while (line.length < column) line.push(" ");
      for (let position = 0; position < text.length; position++) line[column + position] = text.charAt(position);
    },
    toText: () => lines.map((line) => `${line.join("").trimEnd()}\n`).join(""),
  };
}
