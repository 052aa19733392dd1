/** Handing an exception to the guest through its virtual IDT. Chapter: spec/chapters/trap.md, "Exceptions". */
import { TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { PF, VECTOR } from '../cpu/x86/outcome.ts';
import { cite, emit } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { setVcpuInfoWord } from '../vcpu_info.ts';
import { toHex, type Word } from '../word/word.ts';
import { bounce } from './bounce.ts';

/** Bounce vector `vector` with an error code, or null for those without. */
export const injectException = (
  machine: Machine,
  at: VcpuRef,
  vector: number,
  error: number | null,
  address: Word | null = null,
): Machine => {
  const entry = vcpuOf(machine, at).traps[vector];
  const { delivered, machine: m } = bounce(cite(machine, 'trap/exception-bounce'), at, {
    address: entry.address,
    cs: entry.cs,
    error,
    mask: (entry.flags & TI.IF) !== 0,
  });
  if (!delivered) return m;
  return emit(m, { kind: 'exception', at, vector, error, address: address && toHex(address) });
};

/** A page fault: CR2 is made known to the guest, and the error code's user bit tells guest user from guest kernel. */
export const injectPageFault = (machine: Machine, at: VcpuRef, error: number, address: Word): Machine => {
  const known = setVcpuInfoWord(updateVcpu(machine, at, { cr2: address }), at, 'cr2', address);
  const { mode, tables } = vcpuOf(machine, at);
  const user = mode === 'user' ? PF.USER : 0;
  const told = tables.pv32 ? cite(known, 'compat/ring-supervisor') : known;
  return injectException(cite(told, 'trap/exception-page_fault'), at, VECTOR.PF, (error & ~PF.USER) | user, address);
};
