/** #GP of a 32-bit guest that names a selector: it may be a call gate of its own, which Xen would carry out. */
import { NotModelled } from '#spec/failure.ts';
import { GP } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import { injectException } from '../trap/inject.ts';
import type { Vcpu } from '../vcpu.ts';

const SELECTOR = 0xfffc;
const IN_LDT = 4;
const DPL = 0x6000;
const TYPE = 0x1f00;
const CALL_GATES: readonly number[] = [0x400, 0xc00];

/** Upper half of the descriptor as it stands in the guest's tables; null: there is none. */
const upperHalf = (machine: Machine, { cpu: { tables }, gdtEntries }: Vcpu, selector: number): number | null => {
  const inLdt = (selector & IN_LDT) !== 0;
  const index = selector >>> 3;
  if (selector < 4 || index >= (inLdt ? tables.ldtEntries : gdtEntries)) return null;
  const page = index >>> 9;
  if (inLdt && tables.ldt[page] === 0 && !tables.mapLdtPage(page)) return null;
  const frame = (inLdt ? tables.ldt : tables.gdt)[page];
  return machine.memory.view.getInt32(frame * 4096 + 8 * (index & 511) + 4, true);
};

/** Anything but a call gate is the guest's own fault. */
export const handleGate = (machine: Machine, vcpu: Vcpu, error: number): void => {
  const upper = upperHalf(machine, vcpu, error & SELECTOR);
  if (upper !== null && (upper & DPL) === 0 && CALL_GATES.includes(upper & TYPE)) throw new NotModelled('emulation/call_gate');
  injectException(vcpu, GP, error);
};
