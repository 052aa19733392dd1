/** Descriptor tables of 32-bit kernels. Chapter: spec/chapters/compat.md, "Descriptors". */
import { GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { framesFor } from '../../descriptor_tables.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { wordIn } from '../../memory/guest.ts';
import { word } from '../../word/word.ts';
import { install } from '../descriptor/set_gdt.ts';
import { update_descriptor as wideUpdate } from '../descriptor/update_descriptor.ts';
import { fail, type Perform } from '../result.ts';

const FRAME = 4;

export const set_gdt: Perform = (machine, caller, [list, number]) => {
  const entries = number.lo >>> 0;
  if (entries > GUEST_GDT_ENTRIES) return fail(machine, 'EINVAL', 'descriptor/set_gdt-entries');
  const count = framesFor(entries);
  const copied = copyFromGuest(cite(machine, 'compat/set_gdt-frames'), caller, list, FRAME * count);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'descriptor/set_gdt-fault');
  const frames = Array.from({ length: count }, (_, n) => wordIn(copied.bytes, FRAME * n, FRAME).lo >>> 0);
  return install(copied.machine, caller, frames, entries);
};

export const update_descriptor: Perform = (machine, caller, [low, high, descriptor, upper]) =>
  wideUpdate(cite(cite(machine, 'compat/update_descriptor'), 'compat/descriptor-accepted'), caller, [
    word(high.lo, low.lo),
    word(upper.lo, descriptor.lo),
  ]);
