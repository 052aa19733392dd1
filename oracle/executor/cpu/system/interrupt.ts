/** Interrupts that programs ask for, and waiting for others: INT n, INT3, INTO, INT1, HLT. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { BP, DB, GP, OF, UD } from '../exit.ts';
import { overflow } from '../flags.ts';
import { SYSTEM } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { goOn, nextPointer } from './code.ts';
import { endGeneralDetect } from './debug.ts';
import { deliver, pushedFlags } from './deliver.ts';
import { processorOf } from './processor.ts';

const { IOPL, VM } = RFLAGS;
const ioplOf = (c: Cpu): number => (c.s[SYSTEM] & IOPL) >> 12;
const inV86 = (c: Cpu): boolean => (c.s[SYSTEM] & VM) !== 0;

/** INT1 raises #DB as the processor itself would: the gate's privilege does not count. */
const request = (c: Cpu, o: Op, vector: number, software: boolean): Op => {
  deliver(c, { vector, error: null, software, external: !software, back: nextPointer(c, o), flags: pushedFlags(c, false) });
  processorOf(c).tell({ kind: 'exception', vector, error: null, address: null, software: true });
  if (!software) endGeneralDetect(c);
  processorOf(c).stepless = true;
  return goOn(c, o, c.rip);
};

export const int: Handler = (c, o) => {
  if (inV86(c) && ioplOf(c) < 3) c.fault(GP, 0);
  return request(c, o, o.imm & 0xff, true);
};
export const int3: Handler = (c, o) => request(c, o, BP, true);
export const int1: Handler = (c, o) => request(c, o, DB, false);
export const into: Handler = (c, o) => {
  if (c.mode === '64') c.fault(UD, null);
  return overflow(c) ? request(c, o, OF, true) : o.next;
};

export const hlt: Handler = (c, o) => {
  processorOf(c).halted = true;
  return c.pause(o);
};
