import type { CommitResult } from "@hephaestus/core";
import { commitOf, headerOf } from "@hephaestus/core/testing/conformance";
import { expect, it } from "vitest";
import { fresh, opened } from "../test/fresh.ts";

/** What an instance is, as the contract of `Storage` has it. */
interface Model {
  first: number;
  last: number;
  /** The revision and the input of its row. */
  row: { revision: number; input: number | undefined } | undefined;
}

const IDS = ["a", "b", "c", "d"];

/** The same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/*
 * Tabs that commit, read and remove in turns, each with its own idea of how things stand: what the storage answers is
 * what a single list of records would. One that commits without looking is stale here most of the time.
 */
it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "several tabs see one journal, whatever each of them remembers: seed %i",
  async (seed) => {
    const random = randomOf(seed);
    const options = fresh();
    const tabs = [opened(options), opened(options), opened(options)];
    /** What each tab has last seen of each instance: the revision that it would go on from. */
    const seen = tabs.map(() => new Map<string, number>());
    const models = new Map<string, Model>();
    const pick = <T>(from: readonly T[]) => from[random(from.length)] as T;
    let inputs = 0;

    async function commit(tab: number): Promise<void> {
      const group = IDS.filter(() => random(4) === 0).map((id) => {
        const last = models.get(id)?.last ?? 0;
        const believed = seen[tab]?.get(id) ?? last;
        const expected = pick([believed, believed, believed, believed, last, last, last + 1, 0, 1]);
        const input = expected === 0 ? { input: `${++inputs}` } : {};
        const header = random(4) === 0 ? { header: headerOf(id, { revision: expected + 1, ...input }) } : {};
        return commitOf(id, expected, header);
      });
      const wanted = group.map(({ id, expected, header }): CommitResult => {
        const model = models.get(id);
        if ((model?.last ?? 0) !== expected) return "conflict";
        const input = header?.input === undefined ? model?.row?.input : Number(header.input);
        const row = header ? { revision: expected + 1, input } : model?.row;
        models.set(id, { first: model?.first ?? 1, last: expected + 1, row });
        seen[tab]?.set(id, expected + 1);
        return "ok";
      });
      expect(await tabs[tab]?.commit(group)).toEqual(wanted);
    }

    async function load(tab: number, id: string): Promise<void> {
      const { first, last } = models.get(id) ?? { first: 1, last: 0 };
      const revisions = Array.from({ length: last - first + 1 }, (_, n) => first + n);
      expect((await tabs[tab]?.load(id))?.map(({ revision }) => revision) ?? []).toEqual(revisions);
      seen[tab]?.set(id, last);
    }

    async function remove(tab: number, id: string): Promise<void> {
      const model = models.get(id);
      const last = model?.last ?? 0;
      const through = random(2) === 0 ? last + 1 : 1 + random(last + 1);
      while ((await tabs[tab]?.remove(id, through))?.more);
      if (model === undefined) return;
      if (model.row && model.row.revision <= through) model.row = undefined;
      model.first = Math.max(model.first, through + 1);
      if (model.first > model.last) models.delete(id);
    }

    for (let turn = 0; turn < 200; turn++) {
      const tab = random(tabs.length);
      const what = random(30);
      if (what < 20) await commit(tab);
      else if (what < 27) await load(tab, pick(IDS));
      else if (what < 29) await remove(tab, pick(IDS));
      else {
        await tabs[tab]?.close?.();
        tabs[tab] = opened(options);
      }
    }
    for (const id of IDS) for (const tab of tabs.keys()) await load(tab, id);
    const rows = (await tabs[0]?.query({ limit: 50 }))?.items.map(({ id, revision, input }) => [id, revision, input]);
    const wanted = [...models].flatMap(([id, { row }]) => (row ? [[id, row.revision, row.input]] : []));
    expect(rows?.sort()).toEqual(wanted.sort());
  },
);
