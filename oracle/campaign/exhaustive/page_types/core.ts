/** Page types: frames of a domain as page tables of each level, as writable pages, and both in turn; with domain 0, who may map them too. */
import { entryAt } from '#model/hypercall/mm/guest_l1e.ts';
import { equal } from '#model/word/word.ts';
import type { Action, Core } from '../core.ts';
import { framesPart, frameUses } from '../parts/frames.ts';
import { wholeOf } from '../parts/part.ts';
import { atHand, wordsPart } from '../parts/words.ts';
import type { Symmetry, Values } from '../slots.ts';
import { pageTypeActions, placesOf, unmapStep } from './actions.ts';
import { brokenTypes } from './broken.ts';
import { type EntryValue, OWNER, type PageTypeScope, type PageTypeTables, pageTypeTables, slotsOf, upTo } from './scope.ts';

/** Clauses that a search must come by. */
const CLAUSES = [
  'page_type/type-first',
  'page_type/type-same',
  'page_type/type-last',
  'page_type/type-conflict',
  'page_type/l1-validated',
  'page_type/l1-own',
  'page_type/l1-put',
  'page_type/l1-write_conflict',
  'page_type/validate-failed',
  'mmu/pin-done',
  'mmu/pin-type',
  'mmu/pin-again',
  'mmu/unpin-done',
  'mmu/unpin-unpinned',
  'mmu/update-plain',
  'mmu/entry-replaced',
  'mmu/entry-refused',
] as const;
const CLAUSES_OF_TABLES = ['page_type/table-validated', 'page_type/linear-self'] as const;

const TABLE_TYPES = ['none', 'l1', 'l2', 'l3', 'l4'] as const;

/** Every use of a frame that can come about with so many entries. */
export const usesOf = (scope: PageTypeScope) => {
  const most = scope.frames * scope.entries + scope.foreign + 1;
  return { most, uses: frameUses(['none', 'writable', ...scope.levels.map((level) => TABLE_TYPES[level])], most, scope.linear) };
};

/** Only mmu_update changes an entry, and only the one that it names. */
const oversteps =
  (scope: PageTypeScope, tables: PageTypeTables, name: string): NonNullable<Action['oversteps']> =>
  (before, after) => {
    const written = /writes entry (\d+) of frame (\d+)/.exec(name);
    for (const [n, place] of placesOf(scope, tables).entries()) {
      const isNamed = written !== null && Number(written[2]) * scope.entries + Number(written[1]) === n;
      if (!isNamed && !equal(entryAt(before, place), entryAt(after, place)))
        return `${name} changed entry ${place.index} of frame ${Math.floor(n / scope.entries)}`;
    }
    if (name.startsWith(`d${OWNER} `))
      for (const place of tables.foreign)
        if (!equal(entryAt(before, place), entryAt(after, place))) return `${name} changed an entry of another domain`;
    return null;
  };

const permutations = (n: number): readonly (readonly number[])[] =>
  n === 0 ? [[]] : permutations(n - 1).flatMap((rest) => upTo(n).map((at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]));

/** Each other naming of the frames. */
export const renamings = (scope: PageTypeScope, values: readonly EntryValue[], uses: number, refs: number): readonly Symmetry[] => {
  const slots = slotsOf(scope);
  return permutations(scope.frames)
    .filter((named) => named.some((to, from) => to !== from))
    .map((named) => {
      const meaning = values.map((value) =>
        value === null || value.frame < 0
          ? values.indexOf(value)
          : values.findIndex((other) => other?.frame === named[value.frame] && other?.writable === value.writable),
      );
      const to: (readonly number[])[] = [];
      const at: number[] = [];
      for (const f of upTo(scope.frames)) {
        for (const e of upTo(scope.entries)) [at[slots.entry(f, e)], to[slots.entry(f, e)]] = [slots.entry(named[f]!, e), meaning];
        [at[slots.refs(f)], to[slots.refs(f)]] = [slots.refs(named[f]!), upTo(refs + 1)];
        [at[slots.use(f)], to[slots.use(f)]] = [slots.use(named[f]!), upTo(uses)];
      }
      for (const e of upTo(scope.foreign)) [at[slots.foreign(e)], to[slots.foreign(e)]] = [slots.foreign(e), meaning];
      return { slots: at, to };
    });
};

export const pageTypeCore = (name: string, scope: PageTypeScope, taken = scope.taken): Core => {
  const tables = pageTypeTables(scope);
  const { mfns, cells } = tables;
  const base = atHand(
    tables.base,
    cells.map(({ mfn }) => mfn),
  );
  const slots = slotsOf(scope);
  const { most, uses } = usesOf(scope);
  const refs = most + 1;
  const whole = wholeOf(
    base,
    [wordsPart(base, cells), framesPart(base, { frames: mfns.map((mfn, f) => ({ name: `frame ${f}`, mfn })), uses, refs })],
    { machine: ['memory', 'frames', 'tlb', 'questions'], domain: [], vcpu: [] },
  );
  const some = (test: (use: (typeof uses)[number]) => boolean) => (values: Values) =>
    upTo(scope.frames).some((f) => test(uses[values[slots.use(f)]!]!));
  const hasLevel = (level: number): boolean => scope.levels.some((other) => other === level);
  return {
    name,
    scope: `${scope.frames} frames of d${OWNER}, ${scope.entries} entr${scope.entries > 1 ? 'ies' : 'y'} each, page tables of level ${scope.levels.join(', ')}${scope.foreign > 0 ? `, ${scope.foreign} entr${scope.foreign > 1 ? 'ies' : 'y'} of d0 for them` : ''}`,
    ...whole,
    initial: [base],
    actions: pageTypeActions(scope, tables).map((action) => ({ ...action, oversteps: oversteps(scope, tables, action.name) })),
    symmetries: taken ? renamings(scope, tables.values, uses.length, refs) : [],
    broken: brokenTypes(scope, tables, uses),
    sometimes: {
      'a page table of level 1 maps a writable page': some(({ type, typeRefs }) => type === 'writable' && typeRefs > 0),
      'a page table of level 1 is mapped for reading': (values) =>
        upTo(scope.frames).some((f) => {
          const { type, typeRefs } = uses[values[slots.use(f)]!]!;
          return type === 'l1' && typeRefs === 1 && values[slots.refs(f)]! > 2;
        }),
      'what was a page table is unused': some(({ type, typeRefs }) => type === 'l1' && typeRefs === 0),
      ...(hasLevel(2) && {
        'a table of level 2 is used': some(({ type, typeRefs }) => type === 'l2' && typeRefs > 0),
        'a table of level 1 is used and not pinned': some(({ type, typeRefs, pinned }) => type === 'l1' && typeRefs > 0 && !pinned),
      }),
      ...(hasLevel(2) && scope.linear > 0 && { 'a table has an entry for another one of its own level': some(({ linear }) => linear > 0) }),
      ...(hasLevel(3) && { 'a table of level 3 is used': some(({ type, typeRefs }) => type === 'l3' && typeRefs > 0) }),
      ...(scope.foreign > 0 && {
        'domain 0 maps a page for writing': (values: Values) =>
          upTo(scope.foreign).some((e) => tables.values[values[slots.foreign(e)]!]?.writable === true),
      }),
    },
    clauses: [...CLAUSES, ...(hasLevel(2) ? CLAUSES_OF_TABLES : [])],
    vcpus: 1,
    prelude: upTo(scope.frames).map((f) => unmapStep(1 + f, f)),
  };
};
