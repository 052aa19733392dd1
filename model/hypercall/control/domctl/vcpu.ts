/** Domctls about one vCPU: what it is doing, its entry points for 32-bit code, its registers, an NMI for it. */
import { domctl, VCPU_MSRS, XEN_DOMCTL_SENDTRIGGER } from '#spec/abi/domctl.ts';
import { MSR } from '#spec/abi/msr.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuest } from '../../../guest_copy.ts';
import { pcpuOf, refOf, updateVcpu, vcpuOf } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { bytesOf, wordIn } from '../../../memory/guest.ts';
import { vcpuKick } from '../../../sched/wake.ts';
import { fromNumber, isZero, ZERO } from '../../../word/word.ts';
import { bytesOfNumber, fieldOf, withFields } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { timeRun } from './domain_info.ts';
import { isCaller, type Rule, tell } from './rule.ts';

export const getvcpuinfo: Rule = (machine, asked) => {
  const vcpu = asked.target.vcpus[fieldOf(asked.bytes, domctl.getvcpuinfo.fields.vcpu)];
  if (!vcpu) return fail(machine, 'EINVAL', 'domctl/getvcpuinfo-vcpu');
  const cpu = pcpuOf(machine, refOf(vcpu));
  const after = withFields(asked.bytes, domctl.getvcpuinfo, {
    online: vcpu.online ? 1 : 0,
    blocked: vcpu.blocked ? 1 : 0,
    running: cpu >= 0 ? 1 : 0,
    cpu_time: timeRun(machine, vcpu),
    cpu: Math.max(cpu, 0),
  });
  return tell(machine, asked, after, 'domctl/getvcpuinfo-told');
};

/** Control registers of machine checks as Xen shows them to a vCPU of AMD's. */
const MCG_CAP = 2;
const EXT_BYTES = 64;

export const getExtVcpucontext: Rule = (machine, asked) => {
  const vcpu = asked.target.vcpus[fieldOf(asked.bytes, domctl.ext_vcpucontext.fields.vcpu)];
  if (!vcpu || isCaller(asked, vcpu)) return fail(machine, 'ESRCH', 'domctl/get_ext_vcpucontext-vcpu');
  const after = withFields(asked.bytes, domctl.ext_vcpucontext, {
    size: EXT_BYTES,
    syscall32_callback_cs: vcpu.extCs?.syscall32 ?? 0,
    sysenter_callback_cs: vcpu.extCs?.sysenter ?? 0,
    syscall32_disables_events: vcpu.masking.syscall32 ? 1 : 0,
    sysenter_disables_events: vcpu.masking.sysenter ? 1 : 0,
  });
  const { caps, ctl2, extCtl } = vcpu.machineChecks ?? { caps: fromNumber(MCG_CAP), ctl2: [ZERO, ZERO], extCtl: ZERO };
  after.set(bytesOf([caps, ...ctl2, extCtl]), domctl.ext_vcpucontext.fields.mcg_cap.at);
  const { syscall32_callback_eip, sysenter_callback_eip } = domctl.ext_vcpucontext.fields;
  after.set(bytesOf([vcpu.callbacks.syscall32]), syscall32_callback_eip.at);
  after.set(bytesOf([vcpu.callbacks.sysenter]), sysenter_callback_eip.at);
  return tell(machine, asked, after, 'domctl/get_ext_vcpucontext-told');
};

/** Index, 4 bytes; reserved, 4; value, 8. */
const msrEntry = (index: number, value: number): Uint8Array =>
  Uint8Array.from([...bytesOfNumber(index, 4), ...bytesOfNumber(0, 4), ...bytesOfNumber(value, 8)]);

export const getVcpuMsrs: Rule = (machine, asked) => {
  const { caller, bytes, target } = asked;
  const { vcpu: number, msr_count, msrs } = domctl.vcpu_msrs.fields;
  const vcpu = target.vcpus[fieldOf(bytes, number)];
  if (!vcpu) return fail(machine, 'ESRCH', 'domctl/get_vcpu_msrs-vcpu');
  if (isCaller(asked, vcpu)) return fail(machine, 'EINVAL', 'domctl/get_vcpu_msrs-vcpu');
  const to = wordIn(bytes, msrs.at);
  if (isZero(to)) return tell(machine, asked, withFields(bytes, domctl.vcpu_msrs, { msr_count: VCPU_MSRS }), 'domctl/get_vcpu_msrs-most');
  const there = vcpu.tscAux === 0 ? 0 : 1;
  const room = there <= fieldOf(bytes, msr_count);
  const stored = there > 0 && room ? copyToGuest(machine, caller, to, msrEntry(MSR.TSC_AUX, vcpu.tscAux)) : { ok: true, machine };
  const told = tell(stored.machine, asked, withFields(bytes, domctl.vcpu_msrs, { msr_count: there }), 'domctl/get_vcpu_msrs-told');
  if (told.kind !== 'reply' || !isZero(told.value) || (stored.ok && room)) return told;
  return fail(told.machine, stored.ok ? 'ENOBUFS' : 'EFAULT', 'domctl/get_vcpu_msrs-told');
};

export const sendtrigger: Rule = (machine, { bytes, target }) => {
  const { trigger, vcpu: number } = domctl.sendtrigger.fields;
  const vcpu = target.vcpus[fieldOf(bytes, number)];
  if (!vcpu) return fail(machine, 'ESRCH', 'domctl/sendtrigger-vcpu');
  switch (fieldOf(bytes, trigger)) {
    case XEN_DOMCTL_SENDTRIGGER.NMI:
      return done(makeNmiPending(machine, refOf(vcpu)), 'domctl/sendtrigger-nmi');
    case XEN_DOMCTL_SENDTRIGGER.POWER:
    case XEN_DOMCTL_SENDTRIGGER.SLEEP:
      return fail(machine, 'EINVAL', 'domctl/sendtrigger-other');
    default:
      return fail(machine, 'ENOSYS', 'domctl/sendtrigger-other');
  }
};

/** For a vCPU that has one pending, nothing is new. */
const makeNmiPending = (machine: Machine, at: VcpuRef): Machine =>
  vcpuOf(machine, at).nmiPending ? machine : vcpuKick(updateVcpu(machine, at, { nmiPending: true }), at);
