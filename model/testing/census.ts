/**
 * Counting afresh: what the frame table must say, worked out from page tables, pins, base pointers and grants alone. Tests hold it
 * against the counts that the rules kept step by step.
 */

import { GNTMAP } from '#spec/abi/grant_table.ts';
import { frameAt as frameState } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { readWord } from '../memory/memory.ts';
import { itemAt } from '../numbered.ts';
import { isGuestL4Slot } from '../page_type/l4_slots.ts';
import { isCounted, isKnown } from '../page_type/owner.ts';
import { ENTRIES, frameOf, isPresent, isWritable, type Level } from '../page_type/pte.ts';
import { levelOf } from '../page_type/type.ts';

type Count = { refs: number; uses: number };

/** Frames whose counts are not what they should be, one line each. */
export const miscounted = (machine: Machine): string[] => {
  const counts = new Map<number, Count>();
  const add = (mfn: number, refs: number, uses: number): void => {
    if (!isKnown(machine, mfn) || !isCounted(machine, mfn)) return;
    const count = counts.get(mfn) ?? { refs: 0, uses: 0 };
    counts.set(mfn, { refs: count.refs + refs, uses: count.uses + uses });
  };
  for (let mfn = 0; mfn < machine.config.frames; mfn++) {
    const { allocated, pinned, type, typeRefs } = frameState(machine.frames, mfn)!;
    if (allocated) add(mfn, 1, isShared(machine, mfn) ? 1 : 0);
    if (pinned) add(mfn, 1, 1);
    const level = levelOf(type);
    if (level && typeRefs > 0) countEntries(machine, mfn, level, add);
  }
  for (const { vcpus, grants } of machine.domains) {
    for (const { kernelTable, userTable, tables } of vcpus) {
      if (kernelTable) add(kernelTable, 1, 1);
      if (userTable) add(userTable, 1, 1);
      for (const mfn of [...tables.gdtFrames, ...tables.ldtFrames]) if (mfn !== undefined) add(mfn, 1, 1);
    }
    for (const mapping of grants.maptrack) {
      if (!mapping || !(mapping.flags & GNTMAP.device_map)) continue;
      const granter = machine.domains.find(({ domid }) => domid === mapping.domid);
      const active = granter && itemAt(granter.grants.active, mapping.ref);
      if (active) add(active.mfn, 1, mapping.flags & GNTMAP.readonly ? 0 : 1);
    }
  }
  return compare(machine, counts);
};

/** Shared info and grant frames carry a writable use for good. */
const isShared = ({ config }: Machine, mfn: number): boolean => mfn >= config.layout.xenheap_first && mfn < config.layout.xenheap_end;

const countEntries = (machine: Machine, table: number, level: Level, add: (mfn: number, refs: number, uses: number) => void): void => {
  for (let index = 0; index < ENTRIES; index++) {
    const pte = readWord(machine.memory, table, index);
    if (!isPresent(pte) || (level === 4 && !isGuestL4Slot(index)) || (level > 1 && frameOf(pte) === table)) continue;
    add(frameOf(pte), 1, level > 1 || isWritable(pte) ? 1 : 0);
  }
};

const compare = (machine: Machine, counts: ReadonlyMap<number, Count>): string[] => {
  const wrong: string[] = [];
  for (let mfn = 0; mfn < machine.config.frames; mfn++) {
    const { refs, typeRefs } = frameState(machine.frames, mfn)!;
    const { refs: wantedRefs, uses } = counts.get(mfn) ?? { refs: 0, uses: 0 };
    if (refs !== wantedRefs || typeRefs !== uses)
      wrong.push(`frame ${mfn.toString(16)}: ${refs} references and ${typeRefs} uses, should be ${wantedRefs} and ${uses}`);
  }
  return wrong;
};
