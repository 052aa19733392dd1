/** A vCPU's whole context, as XEN_DOMCTL_getvcpucontext tells it, of a 64-bit domain. */
import { cpu_user_regs, vcpu_guest_context } from '#spec/abi/sched.ts';
import { trap_info, VGCF } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { CS, DS, ES, FS, GS, SS_REG } from '../cpu/interface.ts';
import { readDebugRegister } from './debug_registers.ts';
import { type Vcpu, VPF } from './vcpu.ts';
import { CONTEXT_GPRS, ENTERED_BY_SYSCALL } from './vcpu_context.ts';

const C = vcpu_guest_context.fields;
const R = cpu_user_regs.fields;
const TRAPS = 256;
const PAGE_SHIFT = 12n;
const CR0_TS = 8;
const CR0_OF_XEN = 0x80050033;
const DEBUG_REGISTERS = [0, 1, 2, 3, 6, 7] as const;
const CONTROL_REGISTERS_KEPT = [5, 6, 7] as const;
/** Of registers that were never used: the control words. */
const FCW = { at: 0, value: 0x37f } as const;
const MXCSR = { at: 24, value: 0x1f80 } as const;

type Halves = { readonly lo: number; readonly hi: number };

/**
 * x87 and SSE registers must not have been used. What brought the vCPU into Xen is told as far as it was a SYSCALL; its error code and the number of
 * another cause are left open.
 */
export const toldContext = (vcpu: Vcpu): Uint8Array => {
  const bytes = new Uint8Array(vcpu_guest_context.size);
  const view = new DataView(bytes.buffer);
  const put = (at: number, { lo, hi }: Halves): void => {
    view.setInt32(at, lo, true);
    view.setInt32(at + 4, hi, true);
  };
  view.setUint16(FCW.at, FCW.value, true);
  view.setUint32(MXCSR.at, MXCSR.value, true);
  view.setInt32(C.flags.at, flagsOf(vcpu), true);
  putRegisters(view, vcpu);
  putTraps(view, vcpu, put);
  putTables(view, vcpu, put);
  putControl(view, vcpu, put);
  put(C.event_callback_eip.at, vcpu.eventCallback);
  put(C.failsafe_callback_eip.at, vcpu.failsafeCallback);
  put(C.syscall_callback_eip.at, vcpu.syscallCallback);
  put(C.vm_assist.at, { lo: vcpu.domain.vmAssist, hi: vcpu.domain.vmAssistHigh });
  return bytes;
};

type Put = (at: number, halves: Halves) => void;

/** Those of the vCPU's last context, and what has become of them. */
const flagsOf = (vcpu: Vcpu): number => {
  const { failsafe_disables_events, syscall_disables_events, i387_valid, in_kernel, online } = VGCF;
  const kept = vcpu.contextFlags.lo & ~(i387_valid | in_kernel | failsafe_disables_events | syscall_disables_events);
  return (
    kept |
    (vcpu.failsafeDisablesEvents ? failsafe_disables_events : 0) |
    (vcpu.syscallDisablesEvents ? syscall_disables_events : 0) |
    (vcpu.kernelMode ? in_kernel : 0) |
    ((vcpu.pauseFlags & VPF.down) === 0 ? online : 0)
  );
};

const SEGMENTS = [
  [R.ds, DS],
  [R.es, ES],
  [R.fs, FS],
  [R.gs, GS],
] as const;

const putRegisters = (view: DataView, vcpu: Vcpu): void => {
  const { cpu, inXen } = vcpu;
  const base = C.user_regs.at;
  CONTEXT_GPRS.forEach((name, register) => {
    view.setBigUint64(base + R[name].at, cpu.gpr(register), true);
  });
  for (const [{ at }, segment] of SEGMENTS) view.setUint16(base + at, cpu.selector(segment), true);
  view.setBigUint64(base + R.rip.at, cpu.legacy && !inXen ? BigInt(cpu.ip >>> 0) : cpu.rip, true);
  view.setUint16(base + R.cs.at, inXen ? vcpu.savedCs : cpu.selector(CS), true);
  view.setUint16(base + R.ss.at, inXen ? vcpu.savedSs : cpu.selector(SS_REG), true);
  const flags = inXen ? vcpu.savedFlags.lo : cpu.flags;
  view.setInt32(base + R.rflags.at, (flags & ~RFLAGS.IOPL) | (vcpu.iopl << 12) | RFLAGS.IF, true);
  if (inXen) view.setInt32(base + R.rflags.at + 4, vcpu.savedFlags.hi, true);
  if (inXen && vcpu.exitBySysret) view.setUint32(base + R.entry_vector.at, ENTERED_BY_SYSCALL, true);
};

const putTraps = (view: DataView, { trapVector, trapFlags, trapCs, trapLo, trapHi }: Vcpu, put: Put): void => {
  const { vector, flags, cs, address } = trap_info.fields;
  for (let i = 0; i < TRAPS; i++) {
    const at = C.trap_ctxt.at + trap_info.size * i;
    view.setUint8(at + vector.at, trapVector[i]);
    view.setUint8(at + flags.at, trapFlags[i]);
    view.setUint16(at + cs.at, trapCs[i], true);
    put(at + address.at, { lo: trapLo[i], hi: trapHi[i] });
  }
};

const putTables = (view: DataView, { cpu: { tables }, gdtEntries }: Vcpu, put: Put): void => {
  const { ldtEntries, ldtLo, ldtHi, gdt } = tables;
  if (ldtEntries > 0) put(C.ldt_base.at, { lo: ldtLo, hi: ldtHi });
  view.setUint32(C.ldt_ents.at, ldtEntries, true);
  for (let page = 0; page < C.gdt_frames.size / 8; page++) view.setUint32(C.gdt_frames.at + 8 * page, gdt[page] ?? 0, true);
  view.setUint32(C.gdt_ents.at, gdtEntries, true);
};

const putControl = (view: DataView, vcpu: Vcpu, put: Put): void => {
  const { cpu } = vcpu;
  const control = (register: number): number => C.ctrlreg.at + 8 * register;
  view.setUint32(C.kernel_ss.at, vcpu.kernelSs, true);
  put(C.kernel_sp.at, vcpu.kernelSp);
  // Domain 0's first vCPU began without a context, which would bring Xen's own bits.
  const begun = vcpu.domain.domid === 0 && vcpu.ref.vcpu === 0 ? 0 : CR0_OF_XEN;
  view.setUint32(control(0), begun | (vcpu.taskSwitched ? CR0_TS : 0), true);
  view.setBigUint64(control(1), BigInt(vcpu.userTable) << PAGE_SHIFT, true);
  put(control(2), vcpu.cr2);
  view.setBigUint64(control(3), BigInt(vcpu.kernelTable) << PAGE_SHIFT, true);
  view.setUint32(control(4), vcpu.cr4 >>> 0, true);
  CONTROL_REGISTERS_KEPT.forEach((register, i) => {
    view.setBigUint64(control(register), vcpu.unusedControl[i], true);
  });
  for (const register of DEBUG_REGISTERS) put(C.debugreg.at + 8 * register, readDebugRegister(vcpu, register) ?? { lo: 0, hi: 0 });
  view.setBigUint64(C.fs_base.at, cpu.fsBase, true);
  const active = cpu.gsBase;
  const other = (BigInt(vcpu.gsBaseOther.hi >>> 0) << 32n) | BigInt(vcpu.gsBaseOther.lo >>> 0);
  view.setBigUint64(C.gs_base_kernel.at, vcpu.kernelMode ? active : other, true);
  view.setBigUint64(C.gs_base_user.at, vcpu.kernelMode ? other : active, true);
};
