/** Every state of the page types in which the counts are what entries and pins add up to, reachable or not. */
import { choices } from '../choices.ts';
import type { FrameUse } from '../parts/frames.ts';
import type { Values } from '../slots.ts';
import { counter, KINDS } from './broken.ts';
import { usesOf } from './core.ts';
import { type PageTypeScope, pageTypeTables, slotsOf, upTo } from './scope.ts';

/** Not a page table, or one of a level, pinned or not. */
type Mode = { readonly level: number; readonly pinned: boolean };

const NO_TABLE: Mode = { level: 0, pinned: false };
const levelOf = (type: FrameUse['type']): number => Math.max(0, ['none', 'l1', 'l2', 'l3', 'l4'].indexOf(type));

/** The same array again and again. */
export function* pageTypeCandidates(scope: PageTypeScope): Generator<Values> {
  const tables = pageTypeTables(scope);
  const { uses, most } = usesOf(scope);
  const slots = slotsOf(scope);
  const count = counter(scope, tables, uses);
  const state = new Int32Array(slots.count);
  const modes = [NO_TABLE, ...scope.levels.flatMap((level) => [false, true].map((pinned) => ({ level, pinned })))];
  /** Uses by what they count: the level (0: writable, or nothing), how often, pins, entries for the own level. */
  const byCounts = new Map<string, number[]>();
  for (const [u, { type, typeRefs, pinned, linear }] of uses.entries()) {
    const key = [typeRefs === 0 ? 0 : levelOf(type), typeRefs, pinned, linear].join();
    byCounts.set(key, [...(byCounts.get(key) ?? []), u]);
  }
  /** Of each mode some use, by which tables are counted. */
  const anyUse = modes.map(({ level, pinned }) =>
    uses.findIndex(({ type, typeRefs, pinned: isPinned }) =>
      level === 0 ? type === 'none' : levelOf(type) === level && typeRefs === 1 && isPinned === pinned,
    ),
  );
  const { length: values } = tables.values;
  const entries = scope.frames * scope.entries;
  const mapped = values - (scope.stranger ? 1 : 0);
  for (const contents of choices(upTo(entries + scope.foreign).map((n) => (n < entries ? values : mapped)))) {
    for (const [n, value] of contents.entries()) state[n] = value;
    for (const chosen of choices(upTo(scope.frames).map(() => modes.length))) {
      for (const [f, mode] of chosen.entries()) state[slots.use(f)] = anyUse[mode]!;
      const held = count(state);
      if (held === null) continue;
      const options = upTo(scope.frames).map((f) => {
        const { level, pinned } = modes[chosen[f]!]!;
        const used = held.uses[f * KINDS + level]!;
        const all = held.uses.subarray(f * KINDS, (f + 1) * KINDS).reduce((sum, n) => sum + n, 0);
        if (all !== used || (level > 0 && used === 0) || held.refs[f]! > most + 1) return [];
        return byCounts.get([level, used, pinned, held.linear[f]].join()) ?? [];
      });
      const refs = [...held.refs];
      if (options.some(({ length }) => length === 0)) continue;
      for (const use of choices(options.map(({ length }) => length))) {
        for (const [f, at] of use.entries()) {
          state[slots.use(f)] = options[f]![at]!;
          state[slots.refs(f)] = refs[f]!;
        }
        yield state;
      }
    }
  }
}
