/** Operations whose structure is laid out otherwise for a 32-bit domain. Chapter: spec/chapters/compat.md. */
import { COMPAT, MACH2PHYS_COMPAT_VIRT_END } from '#spec/abi/compat.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { fieldsOf, withFields } from '../guest_struct.ts';
import { done, fail, type Perform } from '../result.ts';
import { pollPorts } from '../sched/poll.ts';

const virtStart = (machine: Machine, { domid }: VcpuRef): number => domainOf(machine, domid).pv32!.virtStart;

export const machphysMapping: Perform = (machine, caller, [, arg]) => {
  const v_start = virtStart(machine, caller);
  const told = { v_start, v_end: MACH2PHYS_COMPAT_VIRT_END, max_mfn: (MACH2PHYS_COMPAT_VIRT_END - v_start) / 4 - 1 };
  const bytes = withFields(new Uint8Array(COMPAT.machphys_mapping.size), COMPAT.machphys_mapping, told);
  const stored = copyToGuest(cite(machine, 'compat/machphys_mapping'), caller, arg, bytes);
  return stored.ok ? done(stored.machine, 'memory/machphys_mapping-done') : fail(stored.machine, 'EFAULT', 'memory/machphys_mapping-done');
};

export const platformParameters: Perform = (machine, caller, [arg]) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, virtStart(machine, caller), true);
  const stored = copyToGuest(cite(machine, 'compat/version-virt_start'), caller, arg, bytes);
  return stored.ok ? done(stored.machine, 'version/text-told') : fail(stored.machine, 'EFAULT', 'version/text-fault');
};

export const poll: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(cite(machine, 'compat/poll'), caller, arg, COMPAT.poll.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/poll-fault');
  const { nr_ports } = fieldsOf(copied.bytes, COMPAT.poll);
  const { ports, timeout } = COMPAT.poll.fields;
  return pollPorts(copied.machine, caller, wordIn(copied.bytes, ports.at, 4), nr_ports, wordIn(copied.bytes, timeout.at));
};
