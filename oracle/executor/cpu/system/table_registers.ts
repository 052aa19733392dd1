/** GDTR and IDTR: LGDT, LIDT, SGDT, SIDT. A limit of 2 bytes, then the base: 8 bytes in 64-bit mode, else 4 of which 16-bit LGDT takes 3. */
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { canonical } from './access.ts';
import { checkUmip } from './system_segments.ts';

const bytes = (c: Cpu): number => (c.mode === '64' ? 10 : 6);

/** Base of the operand at index `p`. */
const readBase = (c: Cpu, o: Op, p: number): bigint => {
  if (c.mode === '64') return c.dv.getBigUint64(p + 2, true);
  return BigInt(c.dv.getUint32(p + 2, true) & (o.size === 2 ? 0xffffff : -1) & 0xffffffff) & 0xffffffffn;
};

const load =
  (base: number, limit: number): Handler =>
  (c, o) => {
    const p = source(c, o, bytes(c) - 1);
    const value = readBase(c, o, p);
    if (c.mode === '64' && !canonical(value)) c.fault(GP, 0);
    c.s[limit] = c.dv.getUint16(p, true);
    c.setPair(base, value);
    return o.next;
  };
export const lgdt = load(GDTR_BASE, GDTR_LIMIT);
export const lidt = load(IDTR_BASE, IDTR_LIMIT);

/** SGDT and SIDT store all 32 bits of the base, with 16-bit operands too. */
const store =
  (base: number, limit: number): Handler =>
  (c, o) => {
    checkUmip(c);
    const p = target(c, o, bytes(c) - 1);
    c.dv.setUint16(p, c.s[limit], true);
    c.dv.setInt32(p + 2, c.s[base], true);
    if (c.mode === '64') c.dv.setInt32(p + 6, c.s[base + 1], true);
    return next(c, o);
  };
export const sgdt = store(GDTR_BASE, GDTR_LIMIT);
export const sidt = store(IDTR_BASE, IDTR_LIMIT);
