/** Domctls that set what belongs to one vCPU: entry points of 32-bit code, registers of machine checks, model-specific registers. */
import { domctl, VCPU_MSRS } from '#spec/abi/domctl.ts';
import { MSR } from '#spec/abi/msr.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest } from '../../../guest_copy.ts';
import { refOf, updateVcpu } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { isCanonical } from '../../../memory/translate.ts';
import type { Vcpu } from '../../../vcpu.ts';
import { addInt, isZero, type Word, ZERO } from '../../../word/word.ts';
import { fieldsOf, withFields } from '../../guest_struct.ts';
import { fixCodeSelector } from '../../misc/selectors.ts';
import { done, fail } from '../../result.ts';
import { isCaller, type Rule, refuseAndTell } from './rule.ts';
import { stoppedForAMoment } from './whole_domain.ts';

const LEAST = 32;
/** Bytes of the structure from which on each register of machine checks counts. */
const WITH = { caps: 40, banks: 56, extended: 64 } as const;
const CAPABILITIES = 0x1ff;

export const setExtVcpucontext: Rule = (machine, asked) => {
  const { bytes, target, caller } = asked;
  const { fields } = domctl.set_ext_vcpucontext;
  const given = fieldsOf(bytes, domctl.set_ext_vcpucontext);
  const vcpu = target.vcpus[given.vcpu];
  if (!vcpu || target.domid === caller.domid) return fail(machine, 'ESRCH', 'domctl/set_ext_vcpucontext-vcpu');
  const [sysenter, syscall32] = [wordIn(bytes, fields.sysenter_callback_eip.at), wordIn(bytes, fields.syscall32_callback_eip.at)];
  if (given.size < LEAST || !isCanonical(sysenter) || !isCanonical(syscall32))
    return fail(machine, 'EINVAL', 'domctl/set_ext_vcpucontext-size');
  const m = updateVcpu(stoppedForAMoment(machine, target.domid), refOf(vcpu), {
    callbacks: { ...vcpu.callbacks, sysenter, syscall32 },
    masking: {
      ...vcpu.masking,
      sysenter: given.sysenter_disables_events !== 0,
      syscall32: given.syscall32_disables_events !== 0,
    },
    extCs: { syscall32: fixCodeSelector(given.syscall32_callback_cs), sysenter: fixCodeSelector(given.sysenter_callback_cs) },
  });
  if (given.size < WITH.caps) return done(m, 'domctl/set_ext_vcpucontext-callbacks');
  const caps = wordIn(bytes, fields.mcg_cap.at);
  if (caps.hi !== 0 || (caps.lo & ~CAPABILITIES) !== 0) return fail(m, 'EINVAL', 'domctl/set_ext_vcpucontext-machine_checks');
  return done(
    updateVcpu(m, refOf(vcpu), { machineChecks: machineChecksIn(bytes, given.size, caps) }),
    'domctl/set_ext_vcpucontext-machine_checks',
  );
};

const machineChecksIn = (bytes: Uint8Array, size: number, caps: Word): NonNullable<Vcpu['machineChecks']> => {
  const { mci_ctl2_bank0, mci_ctl2_bank1, mcg_ext_ctl } = domctl.set_ext_vcpucontext.fields;
  const from = (least: number, at: number): Word => (size >= least ? wordIn(bytes, at) : ZERO);
  return {
    caps,
    ctl2: [from(WITH.banks, mci_ctl2_bank0.at), from(WITH.banks, mci_ctl2_bank1.at)],
    extCtl: from(WITH.extended, mcg_ext_ctl.at),
  };
};

const ENTRY = 16;

/** Null: the register does not take it. */
const written = (machine: Machine, vcpu: Vcpu, entry: Uint8Array): Machine | null => {
  const [index, value] = [wordIn(entry, 0), wordIn(entry, 8)];
  if (index.hi !== 0) return null;
  switch (index.lo) {
    case MSR.TSC_AUX | 0:
      return value.hi === 0 ? updateVcpu(machine, refOf(vcpu), { tscAux: value.lo >>> 0 }) : null;
    case MSR.MISC_FEATURES_ENABLES:
      return isZero(value) ? machine : null;
    default:
      return null;
  }
};

/** Of an entry that was not taken. */
const whyNot = ({ config }: Machine, entry: Uint8Array) =>
  wordIn(entry, 0).hi === 0 ? waysOf(config.release)['set_vcpu_msrs-errno'] : 'EINVAL';

export const setVcpuMsrs: Rule = (machine, asked) => {
  const { caller, bytes, target } = asked;
  const given = fieldsOf(bytes, domctl.vcpu_msrs);
  const vcpu = target.vcpus[given.vcpu];
  if (!vcpu) return fail(machine, 'ESRCH', 'domctl/set_vcpu_msrs-vcpu');
  if (isCaller(asked, vcpu)) return fail(machine, 'EINVAL', 'domctl/set_vcpu_msrs-vcpu');
  if (given.msr_count > VCPU_MSRS) return fail(machine, 'EINVAL', 'domctl/set_vcpu_msrs-most');
  let m = machine;
  for (let i = 0; i < given.msr_count; i++) {
    const read = copyFromGuest(m, caller, addInt(wordIn(bytes, domctl.vcpu_msrs.fields.msrs.at), i * ENTRY), ENTRY);
    const after = read.ok ? written(read.machine, vcpu, read.bytes) : null;
    if (!after) {
      const refused = fail(read.machine, read.ok ? whyNot(read.machine, read.bytes) : 'EFAULT', 'domctl/set_vcpu_msrs-done');
      return refuseAndTell({ ...asked, bytes: withFields(bytes, domctl.vcpu_msrs, { msr_count: i }) }, refused);
    }
    m = after;
  }
  return done(m, 'domctl/set_vcpu_msrs-done');
};
