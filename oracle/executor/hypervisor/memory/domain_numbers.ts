/** current_reservation, maximum_reservation, maximum_gpfn: numbers about a domain's memory. */
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory } from '#spec/abi/memory.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { scratch } from '../guest_access.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { WIDE } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { readArgument } from './argument.ts';

const OP = SUBOPERATIONS.memory_op;

export const domainNumber = (machine: Machine, vcpu: Vcpu, args: Int32Array, op: number): number => {
  if (!readArgument(machine, vcpu, args, memory.domain.size)) return -ERRNO.EFAULT;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(memory.domain.fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  if (op === OP.current_reservation) return domain.pages;
  return op === OP.maximum_reservation ? domain.maxPages : maximumGpfn(machine, domain);
};

/** One less than what the guest has put into its shared info page, whatever that is; 0 for 0. */
const maximumGpfn = (machine: Machine, { sharedInfoMfn, info }: Domain): number => {
  const at = sharedInfoMfn * 4096 + info.maxPfn;
  const { view } = machine.memory;
  const lo = view.getInt32(at, true);
  const hi = info.word === 8 ? view.getInt32(at + 4, true) : 0;
  if ((lo | hi) === 0) return 0;
  CALL_STATE.wideLo = (lo - 1) | 0;
  CALL_STATE.wideHi = lo === 0 ? (hi - 1) | 0 : hi;
  return WIDE;
};
