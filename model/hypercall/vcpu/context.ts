/** struct vcpu_guest_context into a vCPU. */
import { vcpu_guest_context as context, cpu_user_regs as regs } from '#spec/abi/sched.ts';
import { trap_info, VGCF } from '#spec/abi/xen.ts';
import { type Fpu, FRESH_FPU } from '../../cpu/x86/fpu/state.ts';
import { MXCSR_MASK } from '../../cpu/x86/rules/sse/mxcsr.ts';
import { IMAGE, x87From, xmmFrom } from '../../cpu/x86/rules/sse/save.ts';
import { CS, SS } from '../../cpu/x86/state.ts';
import { DR6_RESET, DR7_RESET } from '../../domain/fresh_vcpu.ts';
import { fixGuestCr4 } from '../../emulate/control_registers.ts';
import { writeDebugRegister } from '../../emulate/debug_registers.ts';
import { wordIn } from '../../memory/guest.ts';
import { isCanonical } from '../../memory/translate.ts';
import { FLAG } from '../../traps/bounce.ts';
import type { TrapInfo, Vcpu } from '../../vcpu.ts';
import { type Word, ZERO } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { fixCodeSelector } from '../misc/selectors.ts';

const at = context.fields;
const USER_REGS = at.user_regs.at;
/** Registers in the encoding's order, as user_regs names them. */
export const GPRS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
const CR0_TS = 8;

const register = (bytes: Uint8Array, name: keyof typeof regs.fields): Word => wordIn(bytes, USER_REGS + regs.fields[name].at);
const selector = (bytes: Uint8Array, name: 'cs' | 'ss' | 'ds' | 'es' | 'fs' | 'gs'): number => register(bytes, name).lo & 0xffff;

/** What becomes of a code or stack selector that a guest hands over: its RPL is raised. */
type Raise = (selector: number) => number;

const trapAt = (bytes: Uint8Array, vector: number, raise: Raise): TrapInfo => {
  const entry = bytes.subarray(at.trap_ctxt.at + vector * trap_info.size);
  const { vector: named, flags, cs, address } = trap_info.fields;
  return {
    named: fieldOf(entry, named),
    flags: fieldOf(entry, flags),
    cs: raise(fieldOf(entry, cs)),
    address: wordIn(entry, address.at),
  };
};

/** All 256 entries, taken by their place; the vector that each names does not matter. */
const trapsIn = (bytes: Uint8Array, raise: Raise = fixCodeSelector): TrapInfo[] =>
  Array.from({ length: 256 }, (_, vector) => trapAt(bytes, vector, raise));

export const anyTrapNotCanonical = (bytes: Uint8Array): boolean => trapsIn(bytes).some(({ address }) => !isCanonical(address));

/**
 * The context's FXSAVE image. vcpu/initialise-fpu: an MXCSR that no processor would load costs the rest of the image, and loses the bits
 * that do not exist.
 */
const fpuIn = (bytes: Uint8Array): Fpu => {
  const image = bytes.slice(at.fpu_ctxt.at, at.fpu_ctxt.at + IMAGE.BYTES);
  const mxcsr = wordIn(image, IMAGE.MXCSR).lo;
  if ((mxcsr & ~MXCSR_MASK) !== 0) return { ...FRESH_FPU, mxcsr: mxcsr & MXCSR_MASK };
  return { ...x87From(image, FRESH_FPU), mxcsr, xmm: xmmFrom(image, FRESH_FPU, FRESH_FPU.xmm.length) };
};

/** Bit of entry_vector: Xen was entered by SYSCALL. */
export const TRAP_SYSCALL = 0x100;

/** Mode, way back (`trap/return-held`), general registers, FPU, traps, virtual IOPL: set even when the rest of the context is then refused. */
export const withRegisters = (vcpu: Vcpu, bytes: Uint8Array, raise: Raise = fixCodeSelector): Vcpu => {
  const flags = wordIn(bytes, at.flags.at).lo;
  const { lo: rflags, hi: flagsAbove } = register(bytes, 'rflags');
  const selectors = (['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const).map((name) => selector(bytes, name));
  selectors[CS] = raise(selectors[CS]);
  selectors[SS] = raise(selectors[SS]);
  return {
    ...vcpu,
    contextFlags: wordIn(bytes, at.flags.at),
    ...(flags & VGCF.i387_valid ? { fpuUsed: true } : {}),
    mode: (flags & VGCF.in_kernel) !== 0 ? 'kernel' : 'user',
    wayBack: (register(bytes, 'entry_vector').lo & TRAP_SYSCALL) !== 0 ? 'sysret' : 'iret',
    flagsAbove,
    masking: {
      ...vcpu.masking,
      failsafe: (flags & VGCF.failsafe_disables_events) !== 0,
      syscall: (flags & VGCF.syscall_disables_events) !== 0,
    },
    iopl: (rflags & FLAG.IOPL) >> 12,
    traps: trapsIn(bytes, raise),
    cpu: {
      ...vcpu.cpu,
      fpu: flags & VGCF.i387_valid ? fpuIn(bytes) : FRESH_FPU,
      regs: GPRS.map((name) => register(bytes, name)),
      rip: register(bytes, 'rip'),
      flags: (rflags & ~FLAG.IOPL) | FLAG.IF,
      segments: { ...vcpu.cpu.segments, selectors },
    },
  };
};

/** Stack, callbacks, bases, control and debug registers. */
export const withContext = (vcpu: Vcpu, bytes: Uint8Array, raise: Raise = fixCodeSelector): Vcpu => {
  const word = (name: keyof typeof at): Word => wordIn(bytes, at[name].at);
  const control = (n: number): Word => wordIn(bytes, at.ctrlreg.at + n * 8);
  const kernel = vcpu.mode === 'kernel';
  const [gsKernel, gsUser] = [word('gs_base_kernel'), word('gs_base_user')];
  return withDebugRegisters(
    {
      ...vcpu,
      kernelSs: raise(word('kernel_ss').lo & 0xffff),
      kernelSp: word('kernel_sp'),
      callbacks: {
        ...vcpu.callbacks,
        event: word('event_callback_eip'),
        failsafe: word('failsafe_callback_eip'),
        syscall: word('syscall_callback_eip'),
      },
      taskSwitched: (control(0).lo & CR0_TS) !== 0,
      cr2: control(2),
      cr4: fixGuestCr4(control(4)),
      unusedControl: [5, 6, 7].map(control),
      gsBaseOther: kernel ? gsUser : gsKernel,
      cpu: { ...vcpu.cpu, segments: { ...vcpu.cpu.segments, fsBase: word('fs_base'), gsBase: kernel ? gsKernel : gsUser } },
    },
    bytes,
  );
};

/** A value that set_debugreg would refuse leaves its register as after a reset. */
const withDebugRegisters = (vcpu: Vcpu, bytes: Uint8Array): Vcpu => {
  let set: Vcpu = { ...vcpu, ioBreakpoints: 0, dr: [ZERO, ZERO, ZERO, ZERO, DR6_RESET, DR7_RESET] };
  for (const number of [0, 1, 2, 3, 6, 7]) {
    const written = writeDebugRegister(set, number, wordIn(bytes, at.debugreg.at + number * 8));
    if (written.kind === 'written') set = { ...set, dr: written.dr, ioBreakpoints: written.ioBreakpoints };
  }
  return set;
};
