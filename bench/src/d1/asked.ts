/** What the program asks the worker for: so many commits, alone or in groups, with header rows or without. */
export interface Asked {
  readonly how: "commits" | "bare";
  readonly groups: number;
  readonly size: number;
  readonly headers: boolean;
}
