/** Grants: entries as the granter writes them, mappings of each kind, and the page tables of both. */

import { grantsOf, updateGrants } from '#model/hypercall/grant_table/handles.ts';
import { entryAt } from '#model/hypercall/mm/guest_l1e.ts';
import type { Machine } from '#model/machine.ts';
import { withItem } from '#model/numbered.ts';
import { equal, ZERO } from '#model/word/word.ts';
import { GTF } from '#spec/abi/grant_table.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { Step } from '#spec/program.ts';
import type { Action, Core } from '../core.ts';
import { framesPart, frameUses } from '../parts/frames.ts';
import { activePart, handlesPart, otherGrants } from '../parts/grant_tables.ts';
import { wholeOf } from '../parts/part.ts';
import { atHand, type Cell, wordsPart } from '../parts/words.ts';
import type { Values } from '../slots.ts';
import { grantActions, pageOfEntry } from './actions.ts';
import { brokenGrants } from './broken.ts';
import { FIRST_REF, type GrantScope, type GrantTables, grantTables, isHost, isRead, refOf, upTo } from './scope.ts';
import { slotsOf } from './slots.ts';

/** Clauses that a search must come by. */
const CLAUSES = [
  'gnttab/map-done',
  'gnttab/map-marked',
  'gnttab/map-entry',
  'gnttab/map-entry_written',
  'gnttab/handle-on_failure',
  'gnttab/unmap-handle',
  'gnttab/unmap-entry',
  'gnttab/unmap-released',
  'gnttab/unmap-marks',
] as const;

const cellsOf = (scope: GrantScope, tables: GrantTables): readonly Cell[] => [
  ...upTo(scope.grants).map((grant) => ({ name: `entry of grant ${grant}`, ...tables.entryPlace(grant), values: tables.entryWords })),
  ...tables.frames.map(({ entry }, f) => ({
    name: `d${scope.granter}'s entry for frame ${f}`,
    ...entry,
    values: [ZERO, tables.ownWords[f]!],
  })),
  ...scope.mappers.flatMap((domid, m) =>
    tables.places[m]!.map((place, e) => ({ name: `d${domid}'s entry ${e}`, ...place, values: tables.pteWords })),
  ),
];

/** Nobody changes what belongs to another, but the marks in its entries. */
const oversteps =
  (scope: GrantScope, tables: GrantTables, domid: number): NonNullable<Action['oversteps']> =>
  (before, after) => {
    for (const grant of domid === scope.granter ? [] : upTo(scope.grants)) {
      const [was, is] = [entryAt(before, tables.entryPlace(grant)), entryAt(after, tables.entryPlace(grant))];
      if (was.hi !== is.hi || ((was.lo ^ is.lo) & ~(GTF.reading | GTF.writing)) !== 0)
        return `d${domid} changed more of grant ${grant} than its marks`;
    }
    for (const [m, mapper] of scope.mappers.entries())
      for (const [e, place] of mapper === domid ? [] : [...tables.places[m]!.entries()])
        if (!equal(entryAt(before, place), entryAt(after, place))) return `d${domid} changed entry ${e} of d${mapper}`;
    return null;
  };

const clearStep = (id: number, domain: number, page: number): Step => ({
  id,
  domain,
  do: 'hypercall',
  call: 'mmu_update',
  args: [{ structs: [{ struct: 'xen.mmu_update', fields: { ptr: { page, as: 'entry_maddr' }, val: 0 } }] }, 1, 0, DOMID.SELF],
});

/** The first block of grants in use is there. */
const withBlock = (machine: Machine, granter: number): Machine =>
  updateGrants(machine, granter, { active: withItem(grantsOf(machine, granter).active, FIRST_REF, null) });

/** Every use of a frame that can come about by so many entries and handles. */
export const usesOf = ({ mappers, handles, entries, kinds }: GrantScope) => {
  const device = kinds.some((kind) => !isHost(kind)) ? handles : 0;
  const most = mappers.length * (entries + device) + 1;
  return { most, uses: frameUses(['none', 'writable', 'l1'], most) };
};

export const grantCore = (name: string, scope: GrantScope): Core => {
  const { granter, mappers, grants, frames, handles, entries } = scope;
  const tables = grantTables(scope);
  const cells = cellsOf(scope, tables);
  const base = atHand(
    withBlock(tables.base, granter),
    cells.map(({ mfn }) => mfn),
  );
  const slots = slotsOf(scope);
  const { most, uses } = usesOf(scope);
  const others = [...new Set([granter, ...mappers])].map((domid) =>
    otherGrants(base, domid, [
      ...(domid === granter ? (['active'] as const) : []),
      ...(mappers.includes(domid) ? (['maptrack', 'freeHandles'] as const) : []),
    ]),
  );
  const whole = wholeOf(
    base,
    [
      wordsPart(base, cells),
      framesPart(base, { frames: tables.frames.map(({ mfn }, f) => ({ name: `frame ${f}`, mfn })), uses, refs: most + 2 }),
      activePart(granter, upTo(grants).map(refOf), tables.activeValues),
      ...mappers.map((mapper) => handlesPart(base, mapper, handles, tables.mappings)),
      ...others,
    ],
    { machine: ['memory', 'frames', 'tlb', 'questions'], domain: ['grants'], vcpu: [] },
  );
  const whose = (action: Action): number => Number(/^d(\d+)/.exec(action.name)![1]);
  const isActive = (values: Values, test: (use: NonNullable<GrantTables['activeValues'][number]>) => boolean): boolean =>
    upTo(grants).some((grant) => {
      const use = tables.activeValues[values[slots.active(grant)]!]!;
      return use !== null && test(use);
    });
  return {
    name,
    scope: `d${granter} grants ${frames} frames by ${grants} grants to ${mappers.map((domid) => `d${domid}`).join(' and ')}, ${handles} handles and ${entries} entries each`,
    ...whole,
    initial: [base],
    actions: grantActions(scope, tables).map((action) => ({ ...action, oversteps: oversteps(scope, tables, whose(action)) })),
    symmetries: [],
    broken: brokenGrants(scope, tables, uses),
    sometimes: {
      'a grant is in use twice': (values) =>
        handles * mappers.length < 2 || isActive(values, ({ hostRead, hostWrite, deviceWrite }) => hostRead + hostWrite + deviceWrite > 1),
      'a grant is in use that its granter took back': (values) =>
        upTo(grants).some((grant) => values[slots.entry(grant)] === 0 && values[slots.active(grant)] !== 0),
      'a grant is in use for another frame than its entry names': (values) =>
        frames < 2 ||
        upTo(grants).some((grant) => {
          const [use, entry] = [tables.activeValues[values[slots.active(grant)]!]!, tables.entryValues[values[slots.entry(grant)]!]!];
          return use !== null && 'frame' in entry && tables.frames[entry.frame]!.mfn !== use.mfn;
        }),
      'every handle is used': (values) => mappers.every((_, m) => upTo(handles).every((h) => values[slots.isUsed(m, h)] === 1)),
      'a handle is used whose entry is gone': (values) =>
        mappers.some(
          (_, m) =>
            upTo(handles).some((h) => values[slots.isUsed(m, h)] === 1) && upTo(entries).every((e) => values[slots.pte(m, e)] === 0),
        ),
      ...(scope.kinds.some(isRead) && {
        'one entry reads what another writes': (values: Values) => {
          const at = (writable: boolean): readonly number[] =>
            mappers.flatMap((_, m) =>
              upTo(entries).flatMap((e) => {
                const pte = tables.pteValues[values[slots.pte(m, e)]!]!;
                return pte !== null && pte.writable === writable ? [pte.frame] : [];
              }),
            );
          const written = at(true);
          return entries < 2 || at(false).some((frame) => written.includes(frame));
        },
      }),
      ...(scope.ownUse && {
        'a frame that was granted is a page table': (values: Values) =>
          upTo(frames).some((frame) => uses[values[slots.use(frame)]!]!.type === 'l1'),
      }),
    },
    clauses: [...CLAUSES, ...(scope.ownUse ? (['gnttab/map-write_conflict', 'mmu/pin-done', 'mmu/pin-type'] as const) : [])],
    vcpus: 1,
    prelude: [
      { id: 1, domain: granter, do: 'grant_setup', frames: 1 },
      ...upTo(entries).map((entry) => clearStep(2 + entry, mappers[0]!, pageOfEntry(entry))),
    ],
  };
};
