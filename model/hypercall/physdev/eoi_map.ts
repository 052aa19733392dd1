/** PHYSDEVOP_pirq_eoi_gmfn: a page for the bits of interrupts that want their end told. Chapter: spec/chapters/physdev.md. */
import { physdev } from '#spec/abi/physdev.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf, frame, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { getPageAndType, putPageAndType } from '../../page_type/references.ts';
import type { Word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';

export const pirqEoiGmfn = (machine: Machine, caller: VcpuRef, argument: Word): HypercallResult => {
  const { size, fields } = physdev.pirq_eoi_gmfn;
  const read = copyFromGuest(machine, caller, argument, size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'physdev/eoi_map-argument');
  const mfn = fieldOf(read.bytes, fields.gmfn);
  if (!frame(read.machine, mfn)) return fail(read.machine, 'EINVAL', 'physdev/eoi_map-frame');
  const used = getPageAndType(read.machine, caller.domid, mfn, 'writable');
  if (used.errno) return fail(used.machine, 'EINVAL', 'physdev/eoi_map-frame');
  if (domainOf(used.machine, caller.domid).eoiMap !== undefined)
    return fail(putPageAndType(used.machine, mfn), 'EBUSY', 'physdev/eoi_map-again');
  return done(updateDomain(used.machine, caller.domid, { eoiMap: mfn }), 'physdev/eoi_map-done');
};
