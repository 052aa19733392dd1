/** set_trap_table of a 32-bit kernel. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { NO_TRAPS } from '../../domain/fresh_vcpu.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import { addInt, isZero, word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { fieldsOf } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type Perform } from '../result.ts';
import { atLeastRing1 } from './two_words.ts';

/** A list that ends with a null address. No list at all clears every entry. */
export const set_trap_table: Perform = (machine, caller, [traps]) => {
  if (isZero(traps)) return done(updateVcpu(machine, caller, { traps: NO_TRAPS }), 'trap/set_trap_table-cleared');
  let m = machine;
  for (let at = traps; ; at = addInt(at, COMPAT.trap_info.size)) {
    if (at !== traps) {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      if (asked.stop) return { kind: 'preempted', machine: cite(m, 'trap/set_trap_table-preempted'), args: [at] };
    }
    spend(m, 'entry');
    const copied = copyFromGuest(m, caller, at, COMPAT.trap_info.size);
    m = copied.machine;
    if (!copied.ok) return fail(m, 'EFAULT', 'compat/set_trap_table-fault');
    const { vector, flags, cs, address } = fieldsOf(copied.bytes, COMPAT.trap_info);
    if (address === 0) return done(m, 'compat/set_trap_table-entry');
    const entry = { flags, cs: atLeastRing1(cs), address: word(0, address) };
    m = updateVcpu(m, caller, { traps: vcpuOf(m, caller).traps.with(vector, entry) });
  }
};
