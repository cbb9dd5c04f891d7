import type { InstanceView } from "@hephaestus/core";

/** A row of D1's table, as the database holds it. */
export type IndexRow = Readonly<Record<string, string | number | null>>;

const CURRENT = ["active", "waiting", "choosing"];

/** What D1 must hold of an instance: every column that says something about it. */
function expectedRow(view: InstanceView): IndexRow {
  const current = Object.keys(view.steps).filter((name) => CURRENT.includes(view.steps[name]?.status ?? ""));
  return {
    ns: "",
    id: view.id,
    run: view.run,
    revision: view.revision,
    workflow: view.workflow,
    version: view.version,
    status: view.status,
    key: view.key ?? null,
    tags: JSON.stringify(view.tags),
    metadata: JSON.stringify(view.metadata),
    current: JSON.stringify(current),
    created: view.createdAt,
    updated: view.updatedAt,
    ended: view.endedAt ?? null,
    error: view.error ? JSON.stringify(view.error) : null,
    input: view.input === undefined ? null : JSON.stringify(view.input),
  };
}

/** Where D1 and the objects differ, row by row and column by column. */
export function indexProblems(views: readonly InstanceView[], rows: readonly IndexRow[]): string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = new Set<unknown>(views.map(({ id }) => id));
  return [
    ...views.flatMap((view) => {
      const row = byId.get(view.id);
      if (row === undefined) return [`D1 has no row of ${view.id}`];
      return Object.entries(expectedRow(view)).flatMap(([column, value]) =>
        row[column] === value ? [] : [`D1 has ${column} ${row[column]} of ${view.id}, its object has ${value}`],
      );
    }),
    ...(rows.length === byId.size ? [] : ["D1 has two rows of one instance"]),
    ...rows.filter(({ id }) => !known.has(id)).map(({ id }) => `D1 has a row of ${id}, which nobody started`),
  ];
}
