/** A vCPU into struct vcpu_guest_context, while it does not run: `domctl/getvcpucontext-told`. */
import { vcpu_guest_context as context, cpu_user_regs as regs } from '#spec/abi/sched.ts';
import { trap_info, VGCF } from '#spec/abi/xen.ts';
import { FRESH_FPU } from '../../cpu/x86/fpu/state.ts';
import { putMxcsr, putX87 } from '../../cpu/x86/rules/sse/save.ts';
import { CS, DS, ES, FS, GS, SS } from '../../cpu/x86/state.ts';
import type { Domain } from '../../domain.ts';
import { readDebugRegister } from '../../emulate/debug_registers.ts';
import { bytesOf } from '../../memory/guest.ts';
import { FLAG } from '../../traps/bounce.ts';
import type { Vcpu } from '../../vcpu.ts';
import { fromNumber, isZero, type Word, word, ZERO } from '../../word/word.ts';
import { GPRS, TRAP_SYSCALL } from './context.ts';

const at = context.fields;
/** CR0 as Xen runs guests, and the bit that is theirs. */
const CR0 = 0x80050033;
const CR0_TS = 8;

export const hasUsedFpu = ({ fpuUsed, cpu }: Vcpu): boolean => fpuUsed !== undefined && (fpuUsed || !cpu.system.fpuAside);

/** Registers of x87 and SSE must not have been used. */
export const toldContext = (domain: Domain, vcpu: Vcpu): Uint8Array => {
  const bytes = new Uint8Array(context.size);
  const put = (offset: number, value: Word): void => bytes.set(bytesOf([value]), offset);
  putX87(bytes, FRESH_FPU);
  putMxcsr(bytes, FRESH_FPU);
  bytes.fill(0, MXCSR_MASK, MXCSR_MASK + 4);
  put(at.flags.at, flagsOf(vcpu));
  putUserRegs(bytes, vcpu);
  vcpu.traps.forEach(({ flags, cs, address, named }, vector) => {
    const entry = at.trap_ctxt.at + vector * trap_info.size;
    const { flags: flagsAt, cs: csAt, address: addressAt } = trap_info.fields;
    bytes[entry] = named ?? (isZero(address) ? 0 : vector);
    bytes[entry + flagsAt.at] = flags;
    bytes.set([cs & 0xff, cs >> 8], entry + csAt.at);
    put(entry + addressAt.at, address);
  });
  const { tables, callbacks, userTable, kernelTable } = vcpu;
  put(at.ldt_base.at, tables.ldtEntries > 0 ? tables.ldtBase : ZERO);
  put(at.ldt_ents.at, fromNumber(tables.ldtEntries));
  for (const [k, frame] of tables.gdtFrames.entries()) put(at.gdt_frames.at + 8 * k, fromNumber(frame));
  put(at.gdt_ents.at, fromNumber(tables.gdtEntries));
  put(at.kernel_ss.at, fromNumber(vcpu.kernelSs));
  put(at.kernel_sp.at, vcpu.kernelSp);
  const cr0 = word(0, (isXensOwn(vcpu) ? 0 : CR0) | (vcpu.taskSwitched ? CR0_TS : 0));
  const control = [cr0, address(userTable), vcpu.cr2, address(kernelTable), vcpu.cr4, ...(vcpu.unusedControl ?? [])];
  for (const [k, value] of control.entries()) put(at.ctrlreg.at + 8 * k, value);
  for (const k of [0, 1, 2, 3, 6, 7]) put(at.debugreg.at + 8 * k, readDebugRegister(vcpu, k)!);
  put(at.event_callback_eip.at, callbacks.event);
  put(at.failsafe_callback_eip.at, callbacks.failsafe);
  put(at.syscall_callback_eip.at, callbacks.syscall);
  put(at.vm_assist.at, word(Number(domain.vmAssist >> 32n), Number(domain.vmAssist & 0xffffffffn)));
  const { fsBase, gsBase } = vcpu.cpu.segments;
  const [kernelGs, userGs] = vcpu.mode === 'kernel' ? [gsBase, vcpu.gsBaseOther] : [vcpu.gsBaseOther, gsBase];
  put(at.fs_base.at, fsBase);
  put(at.gs_base_kernel.at, kernelGs);
  put(at.gs_base_user.at, userGs);
  return bytes;
};

/** The first one of domain 0 Xen starts itself, without a context. */
const isXensOwn = ({ domid, id }: Vcpu): boolean => domid === 0 && id === 0;

/** What a processor would note in the FXSAVE image, and Xen has not for registers that were never used. */
const MXCSR_MASK = 28;

const address = (mfn: number): Word => fromNumber(mfn * 4096);

/** The lower half of those of its first context, and what has become of them. */
const flagsOf = ({ contextFlags = ZERO, masking, mode, online }: Vcpu): Word => {
  const { i387_valid, in_kernel, failsafe_disables_events, syscall_disables_events } = VGCF;
  const kept = contextFlags.lo & ~(i387_valid | in_kernel | failsafe_disables_events | syscall_disables_events);
  return word(
    0,
    kept |
      (masking.failsafe ? failsafe_disables_events : 0) |
      (masking.syscall ? syscall_disables_events : 0) |
      (mode === 'kernel' ? in_kernel : 0) |
      (online ? VGCF.online : 0),
  );
};

const putUserRegs = (bytes: Uint8Array, { cpu, iopl, flagsAbove, wayBack }: Vcpu): void => {
  const put = (name: keyof typeof regs.fields, value: Word): void =>
    bytes.set(bytesOf([value]).subarray(0, regs.fields[name].size), at.user_regs.at + regs.fields[name].at);
  for (const [k, name] of GPRS.entries()) put(name, cpu.regs[k]);
  put('rip', cpu.rip);
  put('rflags', word(flagsAbove, (cpu.flags & ~FLAG.IOPL) | (iopl << 12) | FLAG.IF));
  const { selectors } = cpu.segments;
  const numbers = { cs: CS, ss: SS, ds: DS, es: ES, fs: FS, gs: GS } as const;
  for (const name of ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const) put(name, fromNumber(selectors[numbers[name]]));
  if (wayBack === 'sysret') put('entry_vector', fromNumber(TRAP_SYSCALL));
};
