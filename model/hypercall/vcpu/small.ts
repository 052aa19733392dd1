/** VCPUOP_send_nmi and VCPUOP_get_physid. */
import { copyToGuest } from '../../guest_copy.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import { bytesOf } from '../../memory/guest.ts';
import { vcpuKick } from '../../sched/wake.ts';
import { fromNumber, isZero } from '../../word/word.ts';
import { done, fail } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

export const sendNmi: VcpuOperation = (machine, _caller, target, arg) => {
  if (!isZero(arg)) return fail(machine, 'EINVAL', 'vcpu/send_nmi-argument');
  if (vcpuOf(machine, target).nmiPending) return done(machine, 'vcpu/send_nmi-pending');
  return done(vcpuKick(updateVcpu(machine, target, { nmiPending: true }), target), 'vcpu/send_nmi-sent');
};

/** Dom0 only, and only while the vCPU can run on one pCPU alone. APIC and ACPI number equal the vCPU's. */
export const getPhysid: VcpuOperation = (machine, caller, target, arg) => {
  const bound = machine.cpus.length === 1 || vcpuOf(machine, target).pinnedTo !== null;
  if (caller.domid !== 0 || !bound) return fail(machine, 'EINVAL', 'vcpu/get_physid-not_pinned');
  const stored = copyToGuest(machine, caller, arg, bytesOf([fromNumber(target.vcpu * 0x1_0000_0001)]));
  return stored.ok ? done(stored.machine, 'vcpu/get_physid-told') : fail(stored.machine, 'EFAULT', 'vcpu/get_physid-fault');
};
