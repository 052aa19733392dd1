/** What can happen to page types: pinning and unpinning at each level, entries written by mmu_update, and domain 0's part in both. */
import type { Place } from '#model/hypercall/mm/guest_l1e.ts';
import { pin, unpin } from '#model/hypercall/mm/pin.ts';
import { ptUpdate } from '#model/hypercall/mm/pt_update.ts';
import type { Machine } from '#model/machine.ts';
import { own } from '#model/page_type/l1_entry.ts';
import { oldTableOf, putOldGuestTable } from '#model/page_type/old_table.ts';
import type { Verdict } from '#model/page_type/verdict.ts';
import { addInt, fromNumber, shl, type Word } from '#model/word/word.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Step, Value } from '#spec/program.ts';
import type { Action } from '../core.ts';
import { DOM0, type EntryValue, OWNER, type PageTypeScope, type PageTypeTables, STRANGER, upTo } from './scope.ts';

const PINS = ['pin_l1_table', 'pin_l2_table', 'pin_l3_table', 'pin_l4_table'] as const;

/** Steps that a call may come back for what it put off: each frame is a table once at most. */
const ROUNDS = 16;

/** What the call put off is given back, as the call that comes after it does first of all. */
const finished = (before: Machine, caller: VcpuRef, { machine }: Verdict): Machine => {
  let m = machine;
  for (let round = 0; oldTableOf(m, caller) !== null; round++) {
    if (round === ROUNDS) throw new ModelBug('what was put off is never given back');
    m = putOldGuestTable(m, caller).machine;
  }
  return m === before || m.questions === before.questions ? m : { ...m, questions: before.questions };
};

const addressOf = ({ mfn, index }: Place): Word => addInt(shl(fromNumber(mfn), 12), index * 8);

const update =
  (caller: VcpuRef, place: Place, val: Word, frames = caller.domid) =>
  (machine: Machine) =>
    finished(machine, caller, ptUpdate(machine, caller, { ptr: addressOf(place), val, who: { ...own(caller.domid), frames } }, 'replace'));

const entryText = (value: EntryValue): string => {
  if (value === null) return 'nothing';
  return `${value.frame === STRANGER ? 'a frame of another domain' : `frame ${value.frame}`}${value.writable ? ', writable' : ''}`;
};

/** The entry's word as programs name it; null for what they cannot name. */
const asValue = (value: EntryValue): Value | null => {
  if (value === null) return 0;
  if (value.frame === STRANGER) return null;
  return { page: value.frame, as: 'pte', flags: value.writable ? '0x10000000000067' : '0x10000000000065' };
};

const updateStep = (id: number, ptr: Value, val: Value): Step => ({
  id,
  domain: OWNER,
  do: 'hypercall',
  call: 'mmu_update',
  args: [{ structs: [{ struct: 'xen.mmu_update', fields: { ptr, val } }] }, 1, 0, DOMID.SELF],
});

/** Of the domain's own frame no entry of its first page tables is left. */
export const unmapStep = (id: number, frame: number): Step => updateStep(id, { page: frame, as: 'entry_maddr' }, 0);

const pinStep = (id: number, cmd: number, frame: number): Step => ({
  id,
  domain: OWNER,
  do: 'hypercall',
  call: 'mmuext_op',
  args: [{ structs: [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: { page: frame, as: 'mfn' } } }] }, 1, 0, DOMID.SELF],
});

/** Pinning and unpinning of the frames; a domain that is not their owner names it. */
const pins = (scope: PageTypeScope, { mfns }: PageTypeTables, caller: VcpuRef): readonly Action[] => {
  const step = (id: number, cmd: number, frame: number): Step | null => (caller.domid === OWNER ? pinStep(id, cmd, frame) : null);
  return mfns.flatMap((mfn, f): Action[] => [
    ...scope.levels.map(
      (level): Action => ({
        name: `d${caller.domid} pins frame ${f} as L${level}`,
        apply: (machine) => finished(machine, caller, pin(machine, caller, OWNER, mfn, level)),
        asStep: (_, id) => step(id, SUBOPERATIONS.mmuext_op[PINS[level - 1]!], f),
      }),
    ),
    {
      name: `d${caller.domid} unpins frame ${f}`,
      apply: (machine) => finished(machine, caller, unpin(machine, caller, OWNER, mfn)),
      asStep: (_, id) => step(id, SUBOPERATIONS.mmuext_op.unpin_table, f),
    },
  ]);
};

export const pageTypeActions = (scope: PageTypeScope, tables: PageTypeTables): readonly Action[] => {
  const caller = { domid: OWNER, vcpu: 0 };
  const dom0 = { domid: DOM0, vcpu: 0 };
  const { mfns, values, words, foreign } = tables;
  return [
    ...pins(scope, tables, caller),
    ...mfns.flatMap((mfn, f) =>
      upTo(scope.entries).flatMap((index) =>
        values.map((value, v): Action => {
          const named = asValue(value);
          return {
            name: `d${OWNER} writes entry ${index} of frame ${f}: ${entryText(value)}`,
            apply: update(caller, { mfn, index }, words[v]!),
            asStep: (_, id) => (named === null ? null : updateStep(id, { page: f, as: 'maddr', plus: 8 * index }, named)),
          };
        }),
      ),
    ),
    ...(foreign.length > 0 ? pins({ ...scope, levels: [1] }, tables, dom0) : []),
    ...foreign.flatMap((place, e) =>
      values.flatMap((value, v): Action[] =>
        value?.frame === STRANGER
          ? []
          : [
              {
                name: `d${DOM0} maps at entry ${e}: ${entryText(value)}`,
                apply: update(dom0, place, words[v]!, value === null ? DOM0 : OWNER),
              },
            ],
      ),
    ),
  ];
};

/** Where the entries of frames are, for rules about who may change them. */
export const placesOf = (scope: PageTypeScope, { mfns }: PageTypeTables): readonly Place[] =>
  mfns.flatMap((mfn) => upTo(scope.entries).map((index) => ({ mfn, index })));
