/** VCPUOP_initialise: give a vCPU its first state. */
import { DESCRIPTORS_PER_PAGE, GDT_FRAMES, MOST_LDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { vcpu_guest_context as context } from '#spec/abi/sched.ts';
import { VGCF } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { dropGdt, setGdt, setLdtOf } from '../../descriptor_tables.ts';
import { frameOfCr3 } from '../../emulate/control_registers.ts';
import { addressOk, copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { setVcpu, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { isCanonical } from '../../memory/translate.ts';
import { fillM2pSlot, isM2pStrict, zapM2pSlot } from '../../page_type/l4_slots.ts';
import { deferPut, isDeferred, putOldGuestTable } from '../../page_type/old_table.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { getPage, putPage } from '../../page_type/references.ts';
import { getPageAndTable } from '../../page_type/table_entry.ts';
import { allow, type Verdict } from '../../page_type/verdict.ts';
import { fromNumber, isZero, toNumber, type Word } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { anyTrapNotCanonical, withContext, withRegisters } from './context.ts';
import type { VcpuOperation } from './vcpu_op.ts';

const at = context.fields;
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
  return setContext(copied.machine, caller, target, copied.bytes, [
    fromNumber(SUBOPERATIONS.vcpu_op.initialise),
    fromNumber(target.vcpu),
    arg,
  ]);
};

/** What is wrong with a context before anything of it is set; null: nothing. */
export const wrongContext = (bytes: Uint8Array): ClauseId | null => {
  const word = (offset: number): Word => wordIn(bytes, offset);
  const ldtEntries = toNumber(word(at.ldt_ents.at));
  const ldtBase = word(at.ldt_base.at);
  const addresses = [RIP, RSP, ...ADDRESSES.map((name) => at[name].at), ...(ldtEntries === 0 ? [] : [at.ldt_base.at])];
  if (!addresses.every((offset) => isCanonical(word(offset))) || anyTrapNotCanonical(bytes)) return 'vcpu/initialise-address';
  return !addressOk(ldtBase) || (ldtBase.lo & 0xfff) !== 0 || ldtEntries > MOST_LDT_ENTRIES ? 'vcpu/initialise-ldt' : null;
};

/** Checks without effect, then registers and traps, then what is left to check, then the page tables. `args`: the call's, to come again. */
const setContext = (machine: Machine, caller: VcpuRef, target: VcpuRef, bytes: Uint8Array, args: readonly Word[]): HypercallResult => {
  const word = (offset: number): Word => wordIn(bytes, offset);
  const wrong = wrongContext(bytes);
  if (wrong !== null) return fail(machine, 'EINVAL', wrong);
  const ldtEntries = toNumber(word(at.ldt_ents.at));
  const ldtBase = word(at.ldt_base.at);

  const m = setVcpu(cite(cite(machine, 'vcpu/initialise-registers'), 'vcpu/initialise-fpu'), withRegisters(vcpuOf(machine, target), bytes));
  const gdtEntries = toNumber(word(at.gdt_ents.at));
  if (gdtEntries > GDT_FRAMES * DESCRIPTORS_PER_PAGE) return fail(m, 'EINVAL', 'vcpu/initialise-gdt');
  const inKernel = (word(at.flags.at).lo & VGCF.in_kernel) !== 0;
  if (!inKernel && isZero(word(USER_TABLE))) return fail(m, 'EINVAL', 'vcpu/initialise-no_user_table');
  const local = setLdtOf(m, target, ldtBase, ldtEntries);
  const ready = setVcpu(local, withContext(vcpuOf(local, target), bytes));
  const settled = putOldGuestTable(ready, caller);
  if (settled.errno) return { kind: 'preempted', machine: cite(settled.machine, 'vcpu/initialise-preempted'), args };
  const frames = Array.from({ length: GDT_FRAMES }, (_, k) => toNumber(word(at.gdt_frames.at + 8 * k)));
  const global = setGdt(settled.machine, target, frames, gdtEntries);
  if (global.errno) return fail(global.machine, global.errno, 'vcpu/initialise-gdt_frame');
  const tables = { caller, target, cr3: word(KERNEL_TABLE), cr1: word(USER_TABLE), flags: word(at.flags.at).lo };
  const set = setTables(global.machine, tables);
  const { errno } = set;
  const after = errno ? dropGdt(set.machine, target) : set.machine;
  if (errno === 'ERESTART') return { kind: 'preempted', machine: cite(after, 'vcpu/initialise-preempted'), args };
  return errno ? fail(after, errno, 'vcpu/initialise-table') : done(after, 'vcpu/initialise-done');
};

/** The page tables of a context, and the VGCF_* flags. */
type Tables = { readonly caller: VcpuRef; readonly target: VcpuRef; readonly cr3: Word; readonly cr1: Word; readonly flags: number };

const setTables = (machine: Machine, { caller, target, cr3, cr1, flags }: Tables): Verdict => {
  const taken = takeKernelTable(machine, caller, target, frameOfCr3(cr3));
  if (taken.errno) return taken;
  const both = isZero(cr1) ? taken : takeUserTable(taken.machine, caller, target, frameOfCr3(cr1));
  if (both.errno) return both;
  const vcpu = vcpuOf(both.machine, target);
  const root = vcpu.mode === 'kernel' ? vcpu.kernelTable : vcpu.userTable;
  const cpu = { ...vcpu.cpu, segments: { ...vcpu.cpu.segments, root } };
  return allow(updateVcpu(both.machine, target, { cpu, initialised: true, online: (flags & VGCF.online) !== 0 }));
};

/** What an earlier attempt took for the kernel's table, before it was interrupted at the user's, is used now or given back. */
const takeKernelTable = (machine: Machine, caller: VcpuRef, target: VcpuRef, mfn: number): Verdict => {
  const { domid } = target;
  if (isDeferred(machine, target, mfn) && ownerOf(machine, mfn) === domid)
    return allow(updateVcpu(machine, target, { oldGuestTable: null, kernelTable: mfn }));
  const held = getPage(machine, domid, mfn);
  if (held.errno) return held;
  const settled = putOldGuestTable(held.machine, caller, target);
  if (settled.errno) return { ...settled, machine: putPage(settled.machine, mfn) };
  const taken = getPageAndTable(putPage(settled.machine, mfn), caller, domid, mfn, 4);
  if (taken.errno) return taken;
  const shown = isM2pStrict(taken.machine, domid) ? taken.machine : fillM2pSlot(taken.machine, mfn);
  return allow(updateVcpu(shown, target, { kernelTable: mfn }));
};

const takeUserTable = (machine: Machine, caller: VcpuRef, target: VcpuRef, mfn: number): Verdict => {
  const { kernelTable } = vcpuOf(machine, target);
  const taken = getPageAndTable(machine, caller, target.domid, mfn, 4);
  if (taken.errno === 'ERESTART') {
    const waiting = deferPut(taken.machine, target, { mfn: kernelTable, table: null, partial: false });
    return { ...taken, machine: updateVcpu(waiting, target, { kernelTable: 0 }) };
  }
  if (taken.errno) return taken;
  const hidden = isM2pStrict(taken.machine, target.domid) ? zapM2pSlot(taken.machine, mfn) : taken.machine;
  return allow(updateVcpu(hidden, target, { userTable: mfn }));
};
