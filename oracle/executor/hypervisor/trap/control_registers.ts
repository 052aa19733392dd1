/** MOV to and from control registers, by a guest kernel. */
import { ERRNO } from '#spec/abi/errno.ts';
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { CR4 as CR4_PLACE } from '../../cpu/layout.ts';
import { setTaskSwitched } from '../hypercall/processor.ts';
import type { Machine } from '../machine.ts';
import { newGuestCr3 } from '../mm/base_pointer.ts';
import { ownsPage } from '../mm/page.ts';
import type { Vcpu } from '../vcpu.ts';
import { setCr2 } from './inject.ts';
import type { Emulation } from './privileged.ts';

/** CR0 as Xen runs, without TS; TS. */
const CR0 = 0x80050033n;
const CR0_TS = 8n;
/** Bits of CR4 that a guest may choose (TSD DE FSGSBASE OSXSAVE), and those that it sees of Xen's choice (PAE MCE OSFXSR OSXMMEXCPT). */
const CR4_GUEST = 0x5000c;
const CR4_XEN = 0x660;
const PAGE_SHIFT = 12n;

const halves = (value: bigint): readonly [number, number] => [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];

export const moveFromControl = (machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const value = readControl(machine, vcpu, instruction.reg);
  if (value === null) return 'refused';
  vcpu.cpu.setGpr(instruction.rm, value);
  return 'done';
};

/** CR3 of a 32-bit guest is its L3: the number of the frame, turned left by the twelve bits of an offset. */
const compatCr3 = (machine: Machine, { kernelTable }: Vcpu): bigint => {
  const mfn = (machine.memory.read32(kernelTable * 4096) >>> 12) | (machine.memory.read32(kernelTable * 4096 + 4) << 20);
  return BigInt(((mfn << 12) | (mfn >>> 20)) >>> 0);
};
const compatFrame = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0;

const readControl = (machine: Machine, vcpu: Vcpu, register: number): bigint | null => {
  switch (register) {
    case 0:
      return CR0 | (vcpu.taskSwitched ? CR0_TS : 0n);
    case 2:
      return (BigInt(vcpu.cr2.hi >>> 0) << 32n) | BigInt(vcpu.cr2.lo >>> 0);
    case 3:
      return vcpu.domain.compat ? compatCr3(machine, vcpu) : BigInt(vcpu.kernelTable) << PAGE_SHIFT;
    case 4:
      return BigInt(vcpu.cr4);
  }
  return null;
};

export const moveControl = (machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const value = vcpu.cpu.gpr(instruction.rm);
  switch (instruction.reg) {
    case 0:
      if ((value & ~CR0_TS) !== CR0) return 'refused';
      setTaskSwitched(vcpu, (value & CR0_TS) !== 0n);
      return 'done';
    case 2:
      setCr2(machine, vcpu, ...halves(value));
      return 'done';
    case 3:
      return loadCr3(machine, vcpu, vcpu.domain.compat ? compatFrame(Number(value & 0xffffffffn)) : Number(value >> PAGE_SHIFT));
    case 4:
      loadCr4(vcpu, Number(BigInt.asIntN(32, value)));
      return 'done';
  }
  return 'refused';
};

/** The bits that a guest may choose are kept; FSGSBASE and TSD count for its instructions, too. */
export const loadCr4 = (vcpu: Vcpu, value: number): void => {
  vcpu.cr4 = (value & CR4_GUEST) | CR4_XEN;
  vcpu.cpu.basesByInstruction = (value & CR4.FSGSBASE) !== 0;
  loadTsd(vcpu);
};

/** The processor's CR4.TSD is set where the guest wants it, and where Xen carries out RDTSC. */
export const loadTsd = ({ cpu, cr4, domain }: Vcpu): void => {
  const set = domain.emulatesTsc || (cr4 & CR4.TSD) !== 0;
  cpu.s[CR4_PLACE] = (cpu.s[CR4_PLACE] & ~CR4.TSD) | (set ? CR4.TSD : 0);
};

/** The guest makes the instruction again when loading was interrupted. A frame of somebody else is refused before anything is done. */
const loadCr3 = (machine: Machine, vcpu: Vcpu, mfn: number): Emulation => {
  if (!ownsPage(machine.frames, mfn, vcpu.domain.domid)) return 'refused';
  const answer = newGuestCr3(machine, vcpu, mfn);
  if (answer === -ERRNO.ERESTART) return 'retry';
  return answer === 0 ? 'done' : 'refused';
};
