/** Decimal adjustments: AAA AAD AAM AAS DAA DAS. Flags that the manuals leave undefined become 0. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from './cpu.ts';
import { DE } from './exit.ts';
import { arithmeticFlags, setArithmeticFlags } from './flags.ts';
import type { Handler } from './op.ts';

const { CF, PF, AF, ZF } = RFLAGS;

/** S, Z and P of a byte. */
const signsOf = (byte: number): number => {
  const parity = (0x9669 >> ((byte ^ (byte >> 4)) & 15)) & 1;
  return (byte & 0x80) | (byte === 0 ? ZF : 0) | (parity === 1 ? PF : 0);
};

const setAl = (c: Cpu, value: number, rest: number): void => {
  c.s8[0] = value;
  setArithmeticFlags(c, signsOf(value & 0xff) | rest);
};

/** Whether the low digit of AL is beyond 9, or was when the auxiliary carry was made. */
const lowBeyond = (c: Cpu, flags: number): boolean => (c.s8[0] & 15) > 9 || (flags & AF) !== 0;

/** DAA (`sign` 1), DAS (−1). DAS keeps the borrow of its first step. */
const packed =
  (sign: 1 | -1): Handler =>
  (c, o) => {
    const flags = arithmeticFlags(c);
    const old = c.s8[0];
    const low = lowBeyond(c, flags);
    const high = old > 0x99 || (flags & CF) !== 0;
    const borrow = sign < 0 && low && old < 6;
    setAl(c, old + sign * ((low ? 6 : 0) + (high ? 0x60 : 0)), (low ? AF : 0) | (high || borrow ? CF : 0));
    return o.next;
  };
export const daa = packed(1);
export const das = packed(-1);

/** AAA, AAS: the digit moves into AL, the carry into AH. */
const unpacked =
  (sign: 1 | -1): Handler =>
  (c, o) => {
    const adjust = lowBeyond(c, arithmeticFlags(c));
    if (adjust) c.s16[0] += sign * 0x106;
    c.s8[0] &= 15;
    setArithmeticFlags(c, adjust ? AF | CF : 0);
    return o.next;
  };
export const aaa = unpacked(1);
export const aas = unpacked(-1);

export const aam: Handler = (c, o) => {
  const base = o.imm & 0xff;
  if (base === 0) c.fault(DE, null);
  const al = c.s8[0];
  c.s8[1] = Math.trunc(al / base);
  setAl(c, al % base, 0);
  return o.next;
};

export const aad: Handler = (c, o) => {
  const sum = c.s8[0] + c.s8[1] * (o.imm & 0xff);
  c.s8[1] = 0;
  setAl(c, sum, 0);
  return o.next;
};

/** SALC: AL full of the carry. */
export const salc: Handler = (c, o) => {
  c.s8[0] = (arithmeticFlags(c) & CF) !== 0 ? 0xff : 0;
  return o.next;
};
