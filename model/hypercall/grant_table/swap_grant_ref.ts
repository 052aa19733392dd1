/** GNTTABOP_swap_grant_ref: two entries of the caller's own table, and their marks, change places. */
import { gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readBytes, writeBytes } from '../../memory/access.ts';
import { fieldsOf } from '../guest_struct.ts';
import { activeAt } from './active.ts';
import { elementwise } from './elements.ts';
import { isFree } from './lifecycle.ts';
import { entryCount, marksAt, placeOf, versionOf } from './shared_entry.ts';
import { type GrantResult, okay, refused } from './status.ts';

const swap = (machine: Machine, { domid }: VcpuRef, bytes: Uint8Array): GrantResult<null> => {
  const { ref_a: a, ref_b: b } = fieldsOf(bytes, gnttab.swap_grant_ref);
  const count = entryCount(machine, domid);
  if (a >= count || b >= count) return refused(machine, 'bad_gntref', 'gnttab/swap-ref');
  if (a === b) return okay(machine, 'gnttab/swap-done', null);
  if ([a, b].some((ref) => !isFree('swap_grant_ref', activeAt(machine, domid, ref))))
    return refused(machine, 'eagain', 'gnttab/swap-in_use');
  const second = versionOf(machine, domid) === 2;
  const entries = exchange(
    machine,
    placeOf(machine, domid, a),
    placeOf(machine, domid, b),
    (second ? grant_entry_v2 : grant_entry_v1).size,
  );
  const marks = second ? exchange(entries, marksAt(machine, domid, a), marksAt(machine, domid, b), 2) : entries;
  return okay(marks, 'gnttab/swap-done', null);
};

type Place = ReturnType<typeof placeOf>;

const exchange = (machine: Machine, a: Place, b: Place, size: number): Machine => {
  const ofA = readBytes(machine.memory, a.mfn, a.offset, size);
  const ofB = readBytes(machine.memory, b.mfn, b.offset, size);
  return setMemory(machine, writeBytes(writeBytes(machine.memory, a.mfn, a.offset, ofB), b.mfn, b.offset, ofA));
};

export const swapGrantRefs = elementwise('swap_grant_ref', gnttab.swap_grant_ref, swap);
