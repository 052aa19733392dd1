/** set_trap_table: entries of the virtual IDT. Chapter: spec/chapters/trap.md, "The virtual IDT". */
import { trap_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NO_TRAPS } from '../../domain/fresh_vcpu.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { isCanonical } from '../../memory/translate.ts';
import { addInt, isZero, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { fieldOf } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { fixCodeSelector } from './selectors.ts';

/** A list that ends with a null address. No list at all clears every entry. */
export const set_trap_table: Perform = (machine, caller, [traps]) =>
  isZero(traps) ? done(updateVcpu(machine, caller, { traps: NO_TRAPS }), 'trap/set_trap_table-cleared') : setFrom(machine, caller, traps);

const setFrom = (machine: Machine, caller: VcpuRef, first: Word): HypercallResult => {
  const { vector, flags, cs, address } = trap_info.fields;
  let m = machine;
  for (let at = first; ; at = addInt(at, trap_info.size)) {
    if (at !== first) {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      if (asked.stop) return { kind: 'preempted', machine: cite(m, 'trap/set_trap_table-preempted'), args: [at] };
    }
    spend(m, 'entry');
    const copied = copyFromGuest(m, caller, at, trap_info.size);
    m = copied.machine;
    if (!copied.ok) return fail(m, 'EFAULT', 'trap/set_trap_table-fault');
    const handler = wordIn(copied.bytes, address.at);
    if (isZero(handler)) return done(m, 'trap/set_trap_table-done');
    if (!isCanonical(handler)) return fail(m, 'EINVAL', 'trap/set_trap_table-address');
    const entry = { flags: fieldOf(copied.bytes, flags), cs: fixCodeSelector(fieldOf(copied.bytes, cs)), address: handler };
    m = updateVcpu(m, caller, { traps: vcpuOf(m, caller).traps.with(fieldOf(copied.bytes, vector), entry) });
  }
};
