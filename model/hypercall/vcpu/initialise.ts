/** VCPUOP_initialise: give a vCPU its first state. */
import { vcpu_guest_context as context } from '#spec/abi/sched.ts';
import { VGCF } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { frameOfCr3 } from '../../emulate/control_registers.ts';
import { addressOk, copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { setVcpu, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { isCanonical } from '../../memory/translate.ts';
import { fillM2pSlot, isM2pStrict, zapM2pSlot } from '../../page_type/l4_slots.ts';
import { getPageAndType } from '../../page_type/references.ts';
import { isZero, toNumber, type Word } from '../../word/word.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { anyTrapNotCanonical, hasBadDataSelector, withContext, withRegisters } from './context.ts';
import type { VcpuOperation } from './vcpu_op.ts';

const at = context.fields;
const MOST_LDT_ENTRIES = 8192;
const MOST_GDT_ENTRIES = 16 * 512;
/** Words of the context that must be canonical addresses. */
const ADDRESSES = [
  'kernel_sp',
  'fs_base',
  'gs_base_kernel',
  'gs_base_user',
  'event_callback_eip',
  'syscall_callback_eip',
  'failsafe_callback_eip',
] as const;
/** RIP and RSP inside user_regs. */
const RIP = at.user_regs.at + 128;
const RSP = at.user_regs.at + 152;
/** CR1 stands for the user's page tables, CR3 for the kernel's. */
const USER_TABLE = at.ctrlreg.at + 8;
const KERNEL_TABLE = at.ctrlreg.at + 24;

export const initialise: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(machine, caller, arg, context.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/initialise-fault');
  if (vcpuOf(copied.machine, target).initialised) return fail(copied.machine, 'EEXIST', 'vcpu/initialise-again');
  return setContext(copied.machine, caller, target, copied.bytes);
};

/** Checks without effect, then registers and traps, then what is left to check, then the page tables. */
const setContext = (machine: Machine, caller: VcpuRef, target: VcpuRef, bytes: Uint8Array): HypercallResult => {
  const word = (offset: number): Word => wordIn(bytes, offset);
  const ldtEntries = toNumber(word(at.ldt_ents.at));
  const ldtBase = word(at.ldt_base.at);
  const addresses = [RIP, RSP, ...ADDRESSES.map((name) => at[name].at), ...(ldtEntries === 0 ? [] : [at.ldt_base.at])];
  if (!addresses.every((offset) => isCanonical(word(offset))) || anyTrapNotCanonical(bytes))
    return fail(machine, 'EINVAL', 'vcpu/initialise-address');
  if (!addressOk(ldtBase) || (ldtBase.lo & 0xfff) !== 0 || ldtEntries > MOST_LDT_ENTRIES)
    return fail(machine, 'EINVAL', 'vcpu/initialise-ldt');

  const m = setVcpu(cite(machine, 'vcpu/initialise-registers'), withRegisters(vcpuOf(machine, target), bytes));
  const gdtEntries = toNumber(word(at.gdt_ents.at));
  if (gdtEntries > MOST_GDT_ENTRIES) return fail(m, 'EINVAL', 'vcpu/initialise-gdt');
  const inKernel = (word(at.flags.at).lo & VGCF.in_kernel) !== 0;
  if (!inKernel && isZero(word(USER_TABLE))) return fail(m, 'EINVAL', 'vcpu/initialise-no_user_table');
  if (gdtEntries !== 0 || ldtEntries !== 0 || hasBadDataSelector(bytes)) return notModelled(m, caller, 'vcpu_op/initialise-descriptors');
  return setTables(setVcpu(m, withContext(vcpuOf(m, target), bytes)), target, word(KERNEL_TABLE), word(USER_TABLE), word(at.flags.at).lo);
};

const setTables = (machine: Machine, target: VcpuRef, cr3: Word, cr1: Word, flags: number): HypercallResult => {
  const { domid } = target;
  const kernel = frameOfCr3(cr3);
  const taken = getPageAndType(machine, domid, kernel, 'l4');
  if (taken.errno) return fail(taken.machine, taken.errno, 'vcpu/initialise-table');
  const strict = isM2pStrict(taken.machine, domid);
  let m = updateVcpu(strict ? taken.machine : fillM2pSlot(taken.machine, kernel), target, { kernelTable: kernel });
  if (!isZero(cr1)) {
    const user = frameOfCr3(cr1);
    const takenUser = getPageAndType(m, domid, user, 'l4');
    if (takenUser.errno) return fail(takenUser.machine, takenUser.errno, 'vcpu/initialise-table');
    m = updateVcpu(strict ? zapM2pSlot(takenUser.machine, user) : takenUser.machine, target, { userTable: user });
  }
  const vcpu = vcpuOf(m, target);
  const root = vcpu.mode === 'kernel' ? vcpu.kernelTable : vcpu.userTable;
  const cpu = { ...vcpu.cpu, segments: { ...vcpu.cpu.segments, root } };
  return done(updateVcpu(m, target, { cpu, initialised: true, online: (flags & VGCF.online) !== 0 }), 'vcpu/initialise-done');
};
