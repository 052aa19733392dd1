/**
 * Counting anew, from the tables in memory, what the frame table says: every validated table's present entries, pins, base pointers and
 * allocations. Device memory and links of a table to itself hold nothing. Grants, and tables half-way, are not understood.
 */
import { NO_OWNER, PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { frameOf, PTE } from '../mm/entry.ts';
import { isIoFrame } from '../mm/io_memory.ts';
import { isXenSlot } from '../mm/promote.ts';

/** One line for each frame whose counts are not what the tables justify. */
export const audit = (machine: Machine): readonly string[] => {
  const { frames, memory } = machine;
  const refs = new Int32Array(frames.count);
  const types = new Int32Array(frames.count);
  const wrong: string[] = [];
  const demand = (mfn: number, type: number, by: string): void => {
    if (frames.type[mfn] !== type || (frames.flags[mfn] & PGF.validated) === 0)
      wrong.push(`${mfn.toString(16)} is used as ${type} by ${by}`);
    types[mfn]++;
  };
  const hold = (mfn: number, type: number, by: string): void => {
    refs[mfn]++;
    demand(mfn, type, by);
  };
  const countTable = (table: number, type: number): void => {
    for (let slot = 0; slot < 512; slot++) {
      if (type === PGT.l4 && isXenSlot(slot)) continue;
      const at = table * 4096 + 8 * slot;
      const lo = memory.view.getInt32(at, true);
      const mfn = frameOf(lo, memory.view.getInt32(at + 4, true));
      if ((lo & PTE.PRESENT) === 0 || mfn === table) {
        if ((lo & PTE.PRESENT) !== 0 && type === PGT.l1) refs[mfn]++;
      } else if (type === PGT.l1) {
        if (isIoFrame(frames, mfn)) continue;
        refs[mfn]++;
        if ((lo & PTE.RW) !== 0) demand(mfn, PGT.writable, at.toString(16));
      } else hold(mfn, frames.type[mfn] === type ? type : type - 1, at.toString(16));
    }
  };
  for (let mfn = 0; mfn < frames.count; mfn++) {
    if (frames.owner[mfn] === NO_OWNER) continue;
    if ((frames.flags[mfn] & PGF.allocated) !== 0) refs[mfn]++;
    if ((frames.flags[mfn] & PGF.xenheap) !== 0) types[mfn]++;
    if ((frames.flags[mfn] & PGF.pinned) !== 0) hold(mfn, frames.type[mfn], 'its pin');
    const isTable = frames.typeRefs[mfn] > 0 && frames.type[mfn] >= PGT.l1 && frames.type[mfn] <= PGT.l4;
    if (isTable) countTable(mfn, frames.type[mfn]);
  }
  for (const { vcpus } of machine.domains) {
    for (const { kernelTable, userTable } of vcpus) {
      if (kernelTable !== 0) hold(kernelTable, PGT.l4, 'CR3');
      if (userTable !== 0) hold(userTable, PGT.l4, 'user CR3');
    }
  }
  for (let mfn = 0; mfn < frames.count; mfn++) {
    if (frames.owner[mfn] === NO_OWNER || isIoFrame(frames, mfn)) continue;
    if (refs[mfn] !== frames.refs[mfn]) wrong.push(`${mfn.toString(16)} has ${frames.refs[mfn]} references, not ${refs[mfn]}`);
    if (types[mfn] !== frames.typeRefs[mfn])
      wrong.push(`${mfn.toString(16)} has ${frames.typeRefs[mfn]} type references, not ${types[mfn]}`);
  }
  return wrong;
};
