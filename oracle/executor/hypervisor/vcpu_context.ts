/** VCPUOP_initialise: the first context of a vCPU other than 0. What a late refusal leaves behind stays, as in Xen. */
import { DESCRIPTORS_PER_PAGE, GDT_FRAMES } from '#spec/abi/descriptor.ts';
import { cpu_user_regs, vcpu_guest_context } from '#spec/abi/sched.ts';
import { trap_info, VGCF } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DS, ES, FS, GS } from '../cpu/interface.ts';
import { resetDebugRegisters, writeDebugRegister } from './debug_registers.ts';
import { destroyGdt, gdtPages, setGdt } from './global_descriptor_table.ts';
import { accessOk, copyFromGuest } from './guest_access.ts';
import { setTaskSwitched } from './hypercall/processor.ts';
import type { Machine } from './machine.ts';
import { changeLdt } from './mm/local_descriptor_table.ts';
import { putOldGuestTable } from './mm/old_guest_table.ts';
import { minus } from './result.ts';
import { loadCr4 } from './trap/control_registers.ts';
import { visibleFlags } from './trap/exit_state.ts';
import { loadTables } from './trap/guest_mode.ts';
import { isCanonical, type U64 } from './u64.ts';
import { type Vcpu, VPF } from './vcpu.ts';
import { loadTopTables } from './vcpu_tables.ts';

const { fields, size } = vcpu_guest_context;
const context = new Uint8Array(size);
const view = new DataView(context.buffer);
type Field = { readonly at: number };

const lo = (at: number): number => view.getInt32(at, true);
const hi = (at: number): number => view.getInt32(at + 4, true);
const isZero = (at: number): boolean => (lo(at) | hi(at)) === 0;
const userRegister = (field: Field): number => fields.user_regs.at + field.at;
const controlRegister = (number: number): number => fields.ctrlreg.at + 8 * number;

const TRAPS = 256;
const PAGE = 4096;
export const CONTEXT_GPRS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
/** Bit of `entry_vector`: the guest is to be entered by SYSRET. */
export const ENTERED_BY_SYSCALL = 0x100;
const CR0_TS = 8;
const DEBUG_REGISTERS = [0, 1, 2, 3, 6, 7] as const;

export const initialise = (machine: Machine, caller: Vcpu, target: Vcpu, fromLo: number, fromHi: number): number => {
  if (!copyFromGuest(machine, caller, fromLo, fromHi, size, context)) return minus('EFAULT');
  if (target.initialised) return minus('EEXIST');
  if (!addressesAreGood()) return minus('EINVAL');
  takeRegisters(target);
  takeTraps(target);
  if (hasTooManyDescriptors()) return minus('EINVAL');
  const kernelMode = (lo(fields.flags.at) & VGCF.in_kernel) !== 0;
  if (!kernelMode && isZero(controlRegister(1))) return minus('EINVAL');
  changeLdt(machine, target, lo(fields.ldt_base.at), hi(fields.ldt_base.at), lo(fields.ldt_ents.at));
  takeProcessorState(target);
  const refused = putOldGuestTable(machine, caller) || takeGdt(machine, caller, target);
  if (refused !== 0) return refused;
  const answer = loadTopTables(
    machine,
    caller,
    target,
    view.getBigUint64(controlRegister(3), true),
    view.getBigUint64(controlRegister(1), true),
  );
  if (answer !== 0) {
    destroyGdt(machine, caller, target);
    return answer;
  }
  target.initialised = true;
  loadTables(target);
  if ((lo(fields.flags.at) & VGCF.online) !== 0) target.pauseFlags &= ~VPF.down;
  else target.pauseFlags |= VPF.down;
  return 0;
};

/** What is wrong with a context before anything is taken from it: 0, -EFAULT or -EINVAL. */
export const checkContext = (machine: Machine, caller: Vcpu, fromLo: number, fromHi: number): number => {
  if (!copyFromGuest(machine, caller, fromLo, fromHi, size, context)) return minus('EFAULT');
  return addressesAreGood() ? 0 : minus('EINVAL');
};

/** Every address is canonical, the local descriptor table's lies outside Xen and on a page boundary. */
const addressesAreGood = (): boolean => {
  const { rip, rsp } = cpu_user_regs.fields;
  const addresses = [
    userRegister(rip),
    userRegister(rsp),
    fields.kernel_sp.at,
    fields.fs_base.at,
    fields.gs_base_kernel.at,
    fields.gs_base_user.at,
    fields.event_callback_eip.at,
    fields.syscall_callback_eip.at,
    fields.failsafe_callback_eip.at,
  ];
  if (!isZero(fields.ldt_ents.at)) addresses.push(fields.ldt_base.at);
  for (let i = 0; i < TRAPS; i++) addresses.push(fields.trap_ctxt.at + trap_info.size * i + trap_info.fields.address.at);
  if (!addresses.every((at) => isCanonical(hi(at)))) return false;
  const entries = view.getBigUint64(fields.ldt_ents.at, true);
  return accessOk(hi(fields.ldt_base.at)) && (lo(fields.ldt_base.at) & (PAGE - 1)) === 0 && entries <= 8192n;
};

/** More pages of descriptors than a table may have; Xen counts them in 64 bits and keeps 32. */
const hasTooManyDescriptors = (): boolean => {
  const entries = view.getBigUint64(fields.gdt_ents.at, true);
  const pages = BigInt.asUintN(32, BigInt.asUintN(64, entries + DESCRIPTORS_A_PAGE - 1n) / DESCRIPTORS_A_PAGE);
  return pages > GDT_FRAMES;
};
const DESCRIPTORS_A_PAGE = BigInt(DESCRIPTORS_PER_PAGE);

const DATA_SEGMENTS = [
  ['ds', DS],
  ['es', ES],
  ['fs', FS],
  ['gs', GS],
] as const;
const selectorOf = (name: 'ds' | 'es' | 'fs' | 'gs' | 'cs' | 'ss'): number =>
  view.getUint16(userRegister(cpu_user_regs.fields[name]), true);
const takeGdt = (machine: Machine, caller: Vcpu, target: Vcpu): number => {
  const entries = lo(fields.gdt_ents.at) >>> 0;
  const frames = Array.from({ length: gdtPages(entries) }, (_, i) => Number(view.getBigUint64(fields.gdt_frames.at + 8 * i, true)));
  return setGdt(machine, caller, target, frames, entries);
};

const takeRegisters = (target: Vcpu): void => {
  const { cpu } = target;
  const { rip, rflags, entry_vector } = cpu_user_regs.fields;
  const flags = lo(fields.flags.at);
  target.kernelMode = (flags & VGCF.in_kernel) !== 0;
  target.failsafeDisablesEvents = (flags & VGCF.failsafe_disables_events) !== 0;
  target.syscallDisablesEvents = (flags & VGCF.syscall_disables_events) !== 0;
  CONTEXT_GPRS.forEach((name, number) => {
    const at = userRegister(cpu_user_regs.fields[name]);
    cpu.setGprHalves(number, lo(at), hi(at));
  });
  cpu.rip = view.getBigUint64(userRegister(rip), true);
  const [fpuAt, fpuBytes] = [fields.fpu_ctxt.at, fields.fpu_ctxt.size];
  target.contextFlags.set(flags, hi(fields.flags.at));
  if ((flags & VGCF.i387_valid) !== 0) target.fpuUsed = true;
  cpu.loadFpu((flags & VGCF.i387_valid) === 0 ? null : context.subarray(fpuAt, fpuAt + fpuBytes));
  for (const [name, segment] of DATA_SEGMENTS) cpu.setSelector(segment, selectorOf(name));
  target.inXen = true;
  target.exitBySysret = (lo(userRegister(entry_vector)) & ENTERED_BY_SYSCALL) !== 0;
  target.savedCs = selectorOf('cs') | 3;
  target.savedSs = selectorOf('ss') | 3;
  const saved = lo(userRegister(rflags));
  target.iopl = (saved & RFLAGS.IOPL) >> 12;
  target.savedFlags.set((saved & ~RFLAGS.IOPL) | RFLAGS.IF, hi(userRegister(rflags)));
  visibleFlags(target, true);
};

const takeTraps = (target: Vcpu): void => {
  const { flags, cs, address } = trap_info.fields;
  for (let i = 0; i < TRAPS; i++) {
    const at = fields.trap_ctxt.at + trap_info.size * i;
    target.trapVector[i] = view.getUint8(at + trap_info.fields.vector.at);
    target.trapFlags[i] = view.getUint8(at + flags.at);
    target.trapCs[i] = view.getUint16(at + cs.at, true) | 3;
    target.trapLo[i] = lo(at + address.at);
    target.trapHi[i] = hi(at + address.at);
  }
};

const take = (into: U64, field: Field): void => into.set(lo(field.at), hi(field.at));

const takeProcessorState = (target: Vcpu): void => {
  const { cpu } = target;
  target.kernelSs = (lo(fields.kernel_ss.at) | 3) & 0xffff;
  take(target.kernelSp, fields.kernel_sp);
  take(target.eventCallback, fields.event_callback_eip);
  take(target.failsafeCallback, fields.failsafe_callback_eip);
  take(target.syscallCallback, fields.syscall_callback_eip);
  cpu.fsBase = view.getBigUint64(fields.fs_base.at, true);
  const [active, other] = target.kernelMode ? [fields.gs_base_kernel, fields.gs_base_user] : [fields.gs_base_user, fields.gs_base_kernel];
  cpu.gsBase = view.getBigUint64(active.at, true);
  take(target.gsBaseOther, other);
  target.cr2.set(lo(controlRegister(2)), hi(controlRegister(2)));
  loadCr4(target, lo(controlRegister(4)));
  target.unusedControl = [5, 6, 7].map((register) => view.getBigUint64(controlRegister(register), true));
  setTaskSwitched(target, (lo(controlRegister(0)) & CR0_TS) !== 0);
  resetDebugRegisters(target);
  for (const register of DEBUG_REGISTERS) {
    const at = fields.debugreg.at + 8 * register;
    writeDebugRegister(target, register, lo(at), hi(at));
  }
};
