/** update_descriptor: one descriptor, by its machine address. Chapter: spec/chapters/descriptor.md. */
import { frame, setMemory } from '../../lens.ts';
import { writeWord } from '../../memory/memory.ts';
import { acceptedOf } from '../../page_type/descriptors.ts';
import { isCounted } from '../../page_type/owner.ts';
import { getPage, putPage } from '../../page_type/references.ts';
import { getPageType, putPageType } from '../../page_type/type.ts';
import { shr, toNumber } from '../../word/word.ts';
import { done, fail, type Perform } from '../result.ts';

export const update_descriptor: Perform = (machine, { domid }, [address, descriptor]) => {
  if ((address.lo & 7) !== 0) return fail(machine, 'EINVAL', 'descriptor/update-aligned');
  const value = acceptedOf(machine, domid, descriptor);
  if (value === null) return fail(machine, 'EINVAL', 'descriptor/update-refused');
  const mfn = toNumber(shr(address, 12));
  const held = getPage(machine, domid, mfn);
  if (held.errno) return fail(held.machine, 'EINVAL', 'descriptor/update-frame');
  const inTable = isCounted(held.machine, mfn) && frame(held.machine, mfn)!.type === 'seg_desc';
  const used = getPageType(held.machine, mfn, inTable ? 'seg_desc' : 'writable');
  if (used.errno) return fail(putPage(used.machine, mfn), 'EINVAL', 'descriptor/update-in_use');
  const written = setMemory(used.machine, writeWord(used.machine.memory, mfn, (address.lo & 0xfff) >>> 3, value));
  return done(putPage(putPageType(written, mfn), mfn), 'descriptor/update-done');
};
