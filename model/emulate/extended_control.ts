/** XSETBV for a guest kernel. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { CR4, XCR0 } from '#spec/isa/x86/control_registers.ts';
import { XCR0_LEAF } from '#spec/isa/x86/cpuid_features.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { RAX, RCX, RDX } from '../cpu/x86/state.ts';
import { cite } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { word } from '../word/word.ts';
import type { Emulated } from './emulated.ts';

const AVX = 4;

/** Without the guest's CR4.OSXSAVE it is #UD, whoever tries; user mode is refused else. The value must be within the domain's CPUID policy, with x87, and AVX only with SSE. */
export const xsetbv = (machine: Machine, at: VcpuRef): Emulated => {
  const { cr4, cpu, mode } = vcpuOf(machine, at);
  if ((cr4.lo & CR4.OSXSAVE) === 0) return { machine: cite(machine, 'emulation/xsetbv-off'), fault: { vector: VECTOR.UD, error: null } };
  if (mode === 'user') return null;
  const value = word(cpu.regs[RDX].lo, cpu.regs[RAX].lo);
  const leaf = machine.config.cpu.cpuid_forced.find((row) => row.leaf >>> 0 === XCR0_LEAF && (row.subleaf === null || row.subleaf === 0));
  const known = (value.lo & ~(leaf?.eax ?? 0)) === 0 && (value.hi & ~(leaf?.edx ?? 0)) === 0;
  const sensible = (value.lo & XCR0.X87) !== 0 && ((value.lo & AVX) === 0 || (value.lo & XCR0.SSE) !== 0);
  if (cpu.regs[RCX].lo !== 0 || !known || !sensible) return null;
  if (value.hi !== 0 || (value.lo & ~(XCR0.X87 | XCR0.SSE)) !== 0) throw new NotModelled('xcr0/avx');
  return { machine: updateVcpu(cite(machine, 'emulation/xsetbv'), at, { xcr0: value, choseState: true }) };
};
