/** XSETBV of a guest kernel: which components of its state XSAVE is about. */
import { NotModelled } from '#spec/failure.ts';
import { UD } from '../../cpu/exit.ts';
import { RAX, RCX, RDX } from '../../cpu/interface.ts';
import { XCR0 } from '../../cpu/layout.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException } from './inject.ts';
import type { Emulation } from './privileged.ts';

/** CR4.OSXSAVE, as the guest has chosen it. */
const CR4_OSXSAVE = 0x40000;
/** Components: x87, SSE, AVX. */
const X87 = 1;
const SSE = 2;
const AVX = 4;
/** CPUID leaf whose sub-leaf 0 tells the components that a guest may have. */
const XSTATE_LEAF = 0xd;

/** Components that a guest may have. */
export const offeredState = (machine: Machine): number =>
  machine.config.cpu.cpuid_forced.find(({ leaf, subleaf }) => leaf === XSTATE_LEAF && subleaf === 0)?.eax ?? 0;

/** x87 always belongs to it, and AVX only together with SSE. */
export const isValidState = (value: number): boolean => (value & X87) !== 0 && ((value & AVX) === 0 || (value & SSE) !== 0);

export const emulateXsetbv = (machine: Machine, vcpu: Vcpu): Emulation => {
  const { cpu } = vcpu;
  if ((vcpu.cr4 & CR4_OSXSAVE) === 0) {
    injectException(vcpu, UD, -1);
    return 'exception';
  }
  const value = cpu.gprLo(RAX);
  const high = cpu.gprLo(RDX);
  if (!vcpu.kernelMode || cpu.gprLo(RCX) !== 0 || high !== 0 || (value & ~offeredState(machine)) !== 0 || !isValidState(value))
    return 'refused';
  if ((value & AVX) !== 0) throw new NotModelled('xcr0/avx');
  cpu.s[XCR0] = value;
  vcpu.statesUsed |= value;
  return 'done';
};
