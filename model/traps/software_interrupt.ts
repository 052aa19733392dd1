/** INT n. Chapter: spec/chapters/trap.md, "Software interrupts". */
import { HYPERCALL_VECTOR } from '#spec/abi/compat.ts';
import { TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { addInt, isZero } from '../word/word.ts';
import { bounce } from './bounce.ts';
import { enterByInt } from './compat_call.ts';
import { handleFault } from './fault.ts';
import { returnToGuest } from './return.ts';

const LEGACY_SYSCALL = 0x80;
/** Length of INT n. */
const INT = 2;

/** INT 0x80 and INT1 pass Xen's own IDT, as INT 3 and INT 4 do, which are traps; every other one arrives as a #GP that names its gate. INT1 needs a handler. */
export const softwareInterrupt = (machine: Machine, at: VcpuRef, vector: number): Machine => {
  if (vector === HYPERCALL_VECTOR) return enterByInt(machine, at);
  const { cpu, traps } = vcpuOf(machine, at);
  if (vector !== LEGACY_SYSCALL || !isZero(traps[vector].address)) return injectSoftwareInterrupt(machine, at, vector);
  const back = setCpu(cite(machine, 'trap/software_interrupt-80_unset'), at, { ...cpu, rip: addInt(cpu.rip, -INT) });
  return handleFault(back, at, { vector: VECTOR.GP, error: vector * 8 + 2, address: null });
};

/** Bounce to the entry for `vector`; the frame has no error code, RIP is behind the instruction. */
export const injectSoftwareInterrupt = (machine: Machine, at: VcpuRef, vector: number): Machine => {
  const entry = vcpuOf(machine, at).traps[vector];
  const { delivered, machine: m } = bounce(cite(machine, 'trap/software_interrupt-bounce'), at, {
    address: entry.address,
    cs: entry.cs,
    error: null,
    mask: (entry.flags & TI.IF) !== 0,
  });
  return delivered ? returnToGuest(emit(m, { kind: 'exception', at, vector, error: null, address: null }), at, 'sysret') : m;
};
