/** iret of a 32-bit guest: the way back from a handler. The frame lies at ESP, EAX first; addresses are linear. */
import { TI, VMASST_TYPE } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { GP } from '../../cpu/exit.ts';
import { RAX, RSP } from '../../cpu/interface.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { NO_RETURN } from '../result.ts';
import { domainCrash } from '../shutdown.ts';
import { visibleFlags } from '../trap/exit_state.ts';
import type { Vcpu } from '../vcpu.ts';
import { setUpcallMask } from '../vcpu_info.ts';
import { isKernelCode } from './selectors.ts';

const TWO32 = 0x1_0000_0000;
/** Words of the frame. */
const WORD = { eax: 0, eip: 1, cs: 2, eflags: 3, esp: 4, ss: 5 } as const;
/** Bytes that a return within ring 1 takes off the stack. */
const INNER_FRAME = 16;
/** A frame of virtual-8086 mode, and how many words of it are moved. */
const V86_FRAME = 40;
const V86_WORDS = 9;

/** A word at `esp`, counted in words; null when it cannot be read. */
const word = (machine: Machine, vcpu: Vcpu, esp: number, index: number): number | null => {
  const at = (esp >>> 0) + 4 * index;
  return copyFromGuest(machine, vcpu, at | 0, at >= TWO32 ? 1 : 0, 4) ? scratch.getInt32(0, true) : null;
};

const putWord = (machine: Machine, vcpu: Vcpu, esp: number, index: number, value: number): boolean => {
  const at = (esp >>> 0) + 4 * index;
  return putGuest(machine, vcpu, at | 0, at >= TWO32 ? 1 : 0, 4, value);
};

export const compat_iret = (machine: Machine, vcpu: Vcpu): number => {
  const { cpu } = vcpu;
  const esp = cpu.gprLo(RSP);
  cpu.setGprHalves(RSP, esp, 0);
  const read = (index: number): number | null => word(machine, vcpu, esp, index);
  const eax = read(WORD.eax);
  if (eax === null) return crash(machine, vcpu);
  cpu.setGprHalves(RAX, eax, 0);
  const eip = read(WORD.eip);
  if (eip === null) return crash(machine, vcpu);
  cpu.setRipHalves(eip, 0);
  const cs = read(WORD.cs);
  if (cs === null) return crash(machine, vcpu);
  setCode(vcpu, cs & 0xffff);
  const eflags = read(WORD.eflags);
  if (eflags === null) return crash(machine, vcpu);
  if ((vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0) vcpu.iopl = (eflags & RFLAGS.IOPL) >> 12;
  vcpu.savedFlags.set((eflags & ~RFLAGS.IOPL) | RFLAGS.IF, 0);
  let masked = (eflags & RFLAGS.IF) === 0;
  if ((eflags & RFLAGS.VM) !== 0) {
    if (!refuseV86(machine, vcpu, esp)) return crash(machine, vcpu);
    masked ||= (vcpu.trapFlags[GP] & TI.IF) !== 0;
  } else if ((vcpu.savedCs & 3) === 0) return crash(machine, vcpu);
  else if (isKernelCode(vcpu.savedCs)) cpu.setGprHalves(RSP, (esp + INNER_FRAME) | 0, 0);
  else {
    const ss = read(WORD.ss);
    if (ss === null) return crash(machine, vcpu);
    vcpu.savedSs = ss & 0xffff;
    const outer = read(WORD.esp);
    if (outer === null) return crash(machine, vcpu);
    cpu.setGprHalves(RSP, outer, 0);
  }
  setUpcallMask(machine, vcpu, masked ? 1 : 0);
  vcpu.nmiMasked = false;
  return NO_RETURN;
};

const setCode = (vcpu: Vcpu, cs: number): void => {
  vcpu.savedCs = cs;
  vcpu.kernelMode = isKernelCode(cs);
};

/** There is no virtual-8086 mode: its frame moves to the kernel's stack, and the kernel gets #GP(0). False when that faults. */
const refuseV86 = (machine: Machine, vcpu: Vcpu, esp: number): boolean => {
  const { cpu } = vcpu;
  const to = (vcpu.kernelSp.lo - V86_FRAME) | 0;
  const order = Array.from({ length: V86_WORDS }, (_, i) => (to >>> 0 < esp >>> 0 ? i + 1 : V86_WORDS - i));
  let moved = true;
  let last = 0;
  for (const index of to === esp ? [] : order) {
    const value = word(machine, vcpu, esp, index);
    if (value === null) moved = false;
    // What could not be read leaves zero to be stored.
    last = value ?? 0;
    if (!putWord(machine, vcpu, to, index, last)) moved = false;
  }
  if (!moved) return false;
  cpu.setGprHalves(RSP, to, 0);
  vcpu.savedSs = vcpu.kernelSs;
  vcpu.savedFlags.lo &= ~(RFLAGS.VM | RFLAGS.RF | RFLAGS.NT | RFLAGS.TF);
  if (!putWord(machine, vcpu, to, 0, 0)) return false;
  cpu.setRipHalves(vcpu.trapLo[GP], 0);
  setCode(vcpu, vcpu.trapCs[GP]);
  return true;
};

const crash = (machine: Machine, vcpu: Vcpu): number => {
  domainCrash(machine, vcpu.domain, 'iret-frame');
  vcpu.cpu.setGprHalves(RAX, 0, 0);
  visibleFlags(vcpu, true);
  return NO_RETURN;
};
