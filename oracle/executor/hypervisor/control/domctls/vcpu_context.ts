/** What a vCPU keeps beside its registers, and NMIs for it. */
import { domctl, VCPU_MSRS, XEN_DOMCTL_SENDTRIGGER } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { copyToGuest } from '../../guest_access.ts';
import { unblock } from '../../scheduler.ts';
import { guestTscAux } from '../../trap/msr.ts';
import type { U64 } from '../../u64.ts';
import { put64, vcpuOf, type Work } from './request.ts';

const EXT_CONTEXT_BYTES = 64;
const TSC_AUX = 0xc0000103;
const RECORD_BYTES = 16;

const putHalves = (op: DataView, at: number, { lo, hi }: Pick<U64, 'lo' | 'hi'>): void => {
  op.setInt32(at, lo, true);
  op.setInt32(at + 4, hi, true);
};

export const getExtContext: Work = (request) => {
  const { caller, op } = request;
  const F = domctl.ext_vcpucontext.fields;
  const vcpu = vcpuOf(request, op.getUint32(F.vcpu.at, true));
  if (!vcpu || vcpu === caller) return -ERRNO.ESRCH;
  op.setUint32(F.size.at, EXT_CONTEXT_BYTES, true);
  putHalves(op, F.syscall32_callback_eip.at, vcpu.syscall32Callback);
  putHalves(op, F.sysenter_callback_eip.at, vcpu.sysenterCallback);
  op.setUint16(F.syscall32_callback_cs.at, vcpu.syscall32CallbackCs, true);
  op.setUint16(F.sysenter_callback_cs.at, vcpu.sysenterCallbackCs, true);
  op.setUint8(F.syscall32_disables_events.at, vcpu.syscall32DisablesEvents ? 1 : 0);
  op.setUint8(F.sysenter_disables_events.at, vcpu.sysenterDisablesEvents ? 1 : 0);
  put64(op, F.mcg_cap.at, vcpu.mcgCap);
  put64(op, F.mci_ctl2_bank0.at, vcpu.mciCtl2[0]);
  put64(op, F.mci_ctl2_bank1.at, vcpu.mciCtl2[1]);
  put64(op, F.mcg_ext_ctl.at, vcpu.mcgExtCtl);
  return 0;
};

/** -ESRCH and -EINVAL write nothing back; the others do. */
export const getMsrs: Work = (request) => {
  const { machine, caller, op } = request;
  const { vcpu: id, msr_count, msrs } = domctl.vcpu_msrs.fields;
  const vcpu = vcpuOf(request, op.getUint32(id.at, true));
  if (!vcpu) return -ERRNO.ESRCH;
  if (vcpu === caller) return -ERRNO.EINVAL;
  const [lo, hi] = [op.getInt32(msrs.at, true), op.getInt32(msrs.at + 4, true)];
  if ((lo | hi) === 0) {
    op.setUint32(msr_count.at, VCPU_MSRS, true);
    return 0;
  }
  const room = op.getUint32(msr_count.at, true);
  const value = guestTscAux(vcpu) >>> 0;
  const count = value === 0 ? 0 : 1;
  op.setUint32(msr_count.at, count, true);
  if (count > room) return -ERRNO.ENOBUFS;
  if (count === 0) return 0;
  const record = new DataView(new ArrayBuffer(RECORD_BYTES));
  record.setUint32(0, TSC_AUX, true);
  record.setUint32(8, value, true);
  return copyToGuest(machine, caller, lo, hi, RECORD_BYTES, new Uint8Array(record.buffer)) ? 0 : -ERRNO.EFAULT;
};

export const sendTrigger: Work = (request) => {
  const { machine, op } = request;
  const { trigger, vcpu: id } = domctl.sendtrigger.fields;
  const vcpu = vcpuOf(request, op.getUint32(id.at, true));
  if (!vcpu) return -ERRNO.ESRCH;
  const { NMI, POWER, SLEEP } = XEN_DOMCTL_SENDTRIGGER;
  const kind = op.getUint32(trigger.at, true);
  if (kind === POWER || kind === SLEEP) return -ERRNO.EINVAL;
  if (kind !== NMI) return -ERRNO.ENOSYS;
  if (vcpu.nmiPending) return 0;
  vcpu.nmiPending = true;
  unblock(machine, vcpu);
  return 0;
};
