/** XENMEM_machphys_mfn_list and XENMEM_machphys_compat_mfn_list of a 32-bit domain: frames of the table that it sees. */
import { COMPAT } from '#spec/abi/compat.ts';
import { copyFromGuest, copyToGuest } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import { addInt, word } from '../../../word/word.ts';
import { bytesOfNumber, fieldsOf, withFields } from '../../guest_struct.ts';
import { done, fail, type Perform } from '../../result.ts';

const SUPERPAGE = 0x200000;
const FRAMES = SUPERPAGE / 4096;

export const machphysMfnList: Perform = (machine, caller, [, arg]) => {
  const layout = COMPAT.machphys_mfn_list;
  const read = copyFromGuest(cite(machine, 'compat/memory_op-machphys_mfn_list'), caller, arg, layout.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'memory/argument');
  const { max_extents, extent_start } = fieldsOf(read.bytes, layout);
  const { frames, layout: places } = machine.config;
  const count = Math.min(max_extents, Math.ceil((frames * 4) / SUPERPAGE));
  let m = read.machine;
  for (let i = 0; i < count; i++) {
    const told = copyToGuest(m, caller, addInt(word(0, extent_start), i * 4), bytesOfNumber(places.compat_m2p_first! + FRAMES * i, 4));
    m = told.machine;
    if (!told.ok) return fail(m, 'EFAULT', 'memory/machphys_mfn_list-done');
  }
  const told = copyToGuest(m, caller, arg, withFields(read.bytes, layout, { nr_extents: count }));
  return told.ok ? done(told.machine, 'memory/machphys_mfn_list-done') : fail(told.machine, 'EFAULT', 'memory/machphys_mfn_list-done');
};
