/** #GP of a 32-bit guest that names a selector: it may be a call gate of its own, which Xen carries out. */
import { GP } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import { injectException } from '../trap/inject.ts';
import type { Vcpu } from '../vcpu.ts';
import { type Gate, passGate } from './call_gate.ts';

const IN_LDT = 4;
const DPL = 0x6000;
const TYPE = 0x1f00;
const CALL_GATE = 0xc00;
const PRESENT = 0x8000;
const PARAMETERS = 0x1f;

/** The gate as it stands in the guest's tables. Its own DPL is 0; what the guest asked for is its target's RPL. Null: there is none. */
const readGate = (machine: Machine, { cpu: { tables }, gdtEntries }: Vcpu, selector: number): Gate | null => {
  const inLdt = (selector & IN_LDT) !== 0;
  const index = selector >>> 3;
  if (selector < 4 || index >= (inLdt ? tables.ldtEntries : gdtEntries)) return null;
  const page = index >>> 9;
  if (inLdt && tables.ldt[page] === 0 && !tables.mapLdtPage(page)) return null;
  const at = (inLdt ? tables.ldt : tables.gdt)[page] * 4096 + 8 * (index & 511);
  const { view } = machine.memory;
  const [lower, upper] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
  if ((upper & (DPL | TYPE)) !== CALL_GATE) return null;
  return {
    selector: (lower >>> 16) & 0xfffc,
    offset: ((lower & 0xffff) | (upper & 0xffff0000)) >>> 0,
    dpl: (lower >>> 16) & 3,
    parameters: upper & PARAMETERS,
    present: (upper & PRESENT) !== 0,
  };
};

/** Anything but a call gate of 32 bits is the guest's own fault. */
export const handleGate = (machine: Machine, vcpu: Vcpu, error: number): void => {
  const gate = readGate(machine, vcpu, error);
  if (gate === null) injectException(vcpu, GP, error);
  else passGate(machine, vcpu, gate, error);
};
