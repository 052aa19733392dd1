/** What domain 0 sets of another domain's vCPU: callbacks, machine-check registers, a few registers of the processor. */
import { domctl, VCPU_MSRS } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { MSR } from '#spec/abi/msr.ts';
import { copyFromGuest, scratch } from '../../guest_access.ts';
import { writeGuestMsr } from '../../trap/msr.ts';
import { isCanonical, TWO32 } from '../../u64.ts';
import type { Vcpu } from '../../vcpu.ts';
import { isSelf, type Request, stop, vcpuOf, type Work } from './request.ts';

const E = domctl.set_ext_vcpucontext.fields;
/** Bytes of the structure up to its machine-check registers. */
const CALLBACK_BYTES = 32;
const MCG_CAP_KNOWN = 0x1ffn;

/** A selector gets at least the ring of the domain's kernel. */
const forGuest = (selector: number, { domain }: Vcpu): number => {
  const ring = domain.compat ? 1 : 3;
  return (selector & 3) >= ring ? selector : (selector & ~3) | ring;
};

export const setExtContext: Work = (request) => {
  const { op } = request;
  const vcpu = vcpuOf(request, op.getUint32(E.vcpu.at, true));
  if (!vcpu || isSelf(request)) return -ERRNO.ESRCH;
  const size = op.getUint32(E.size.at, true);
  const isGood = ({ at }: { readonly at: number }): boolean => isCanonical(op.getInt32(at + 4, true));
  if (size < CALLBACK_BYTES || !isGood(E.sysenter_callback_eip) || !isGood(E.syscall32_callback_eip)) return -ERRNO.EINVAL;
  stop(request);
  const half = (at: number): number => op.getInt32(at, true);
  vcpu.sysenterCallbackCs = forGuest(op.getUint16(E.sysenter_callback_cs.at, true), vcpu);
  vcpu.sysenterCallback.set(half(E.sysenter_callback_eip.at), half(E.sysenter_callback_eip.at + 4));
  vcpu.sysenterDisablesEvents = op.getUint8(E.sysenter_disables_events.at) !== 0;
  vcpu.syscall32CallbackCs = forGuest(op.getUint16(E.syscall32_callback_cs.at, true), vcpu);
  vcpu.syscall32Callback.set(half(E.syscall32_callback_eip.at), half(E.syscall32_callback_eip.at + 4));
  vcpu.syscall32DisablesEvents = op.getUint8(E.syscall32_disables_events.at) !== 0;
  return setMachineChecks(vcpu, op, size - CALLBACK_BYTES);
};

/** Of the machine-check registers as many as some version of Xen knew; the others count as zero. */
const setMachineChecks = (vcpu: Vcpu, op: DataView, bytes: number): number => {
  if (bytes < 8) return 0;
  const get = ({ at }: { readonly at: number }, from: number): bigint => (bytes < from ? 0n : op.getBigUint64(at, true));
  const capabilities = get(E.mcg_cap, 8);
  if ((capabilities & ~MCG_CAP_KNOWN) !== 0n) return -ERRNO.EINVAL;
  vcpu.mcgCap = capabilities;
  vcpu.mciCtl2 = [get(E.mci_ctl2_bank0, 24), get(E.mci_ctl2_bank1, 24)];
  vcpu.mcgExtCtl = get(E.mcg_ext_ctl, 32);
  return 0;
};

const RECORD_BYTES = 16;
const SETTABLE: ReadonlySet<number> = new Set([
  MSR.SPEC_CTRL,
  MSR.MISC_FEATURES_ENABLES,
  MSR.TSC_AUX,
  MSR.DR0_ADDRESS_MASK,
  MSR.DR1_ADDRESS_MASK,
  MSR.DR1_ADDRESS_MASK + 1,
  MSR.DR3_ADDRESS_MASK,
]);

/** Record by record; where one is refused, how many were taken is told. */
export const setMsrs: Work = (request) => {
  const { caller, op } = request;
  const { vcpu: id, msr_count } = domctl.vcpu_msrs.fields;
  const vcpu = vcpuOf(request, op.getUint32(id.at, true));
  if (!vcpu) return -ERRNO.ESRCH;
  const count = op.getUint32(msr_count.at, true);
  if (vcpu === caller || count > VCPU_MSRS) return -ERRNO.EINVAL;
  for (let i = 0; i < count; i++) {
    const answer = setMsr(request, vcpu, i);
    if (answer === 0) continue;
    op.setUint32(msr_count.at, i, true);
    request.tells = true;
    return answer;
  }
  return 0;
};

const setMsr = ({ machine, caller, op }: Request, vcpu: Vcpu, index: number): number => {
  const { at } = domctl.vcpu_msrs.fields.msrs;
  const low = op.getUint32(at, true) + RECORD_BYTES * index;
  const hi = op.getInt32(at + 4, true);
  if (!copyFromGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, RECORD_BYTES)) return -ERRNO.EFAULT;
  const register = scratch.getUint32(0, true);
  if (scratch.getUint32(4, true) !== 0) return -ERRNO.EINVAL;
  if (SETTABLE.has(register) && writeGuestMsr(machine, vcpu, register, scratch.getBigUint64(8, true))) return 0;
  return -ERRNO[machine.ways['set_vcpu_msrs-errno']];
};
