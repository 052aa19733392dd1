/** String instructions: pointers that run over page borders, small counts, and memory that is equal for a while. */
import { CODE, CODE_END, DATA, DATA_END, DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import type { Draft } from '../draft.ts';
import { anyPlace } from '../places.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RAX, RCX, RDI, RSI } from './family.ts';

const pointer = (d: Draft): bigint => {
  const { s } = d;
  switch (s.below(6)) {
    case 0:
      return BigInt(s.pick([DATA, DATA + PAGE, DATA_READ_ONLY, DATA_READ_ONLY + PAGE, DATA_END, DATA_END + PAGE, STACK]) + s.int(-24, 24));
    case 1:
      return anyPlace(s, d.size).address;
    default:
      return BigInt(DATA + 0x200 + s.below(0x1c00));
  }
};

const setPointer = (d: Draft, register: number): void => {
  const value = BigInt.asUintN(64, pointer(d));
  d.regs[register] = d.address32 ? (d.s.bits64() & 0xffffffff00000000n) | (value & 0xffffffffn) : value;
};

const strings = (d: Draft): void => {
  const { s } = d;
  setPointer(d, RSI);
  setPointer(d, RDI);
  if (s.one(5)) d.regs[RDI] = BigInt.asUintN(64, d.regs[RSI] + BigInt(s.int(-16, 16)));
  const count = BigInt(s.one(12) ? s.below(3000) : s.below(12));
  d.regs[RCX] = d.address32 && s.one(2) ? (s.bits64() & 0xffffffff00000000n) | count : count;
  if (!s.one(3)) alike(d);
  if (nearCode(d.regs[RDI] & 0xffffffffn)) d.way = 'step';
};

/** Whether it may write into code on its way, so that it must be watched step by step. */
const nearCode = (at: bigint): boolean => at >= BigInt(CODE - 8 * PAGE) && at < BigInt(CODE_END + 8 * PAGE);

/** The same unit several times at both pointers and in RAX, so that comparisons go on. */
const alike = (d: Draft): void => {
  const { s } = d;
  const unit = bytesOf(operandValue(s, 8), d.size);
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => unit[i % unit.length]);
  for (const register of [RSI, RDI]) {
    const at = d.address32 ? d.regs[register] & 0xffffffffn : d.regs[register];
    if (at < 0x80000000n) d.poke(at, bytes);
  }
  d.setLow(RAX, d.size, BigInt(unit.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)));
};

const family: Family = { before: strings };
export const STRING_FAMILY: Readonly<Record<string, Family>> = {
  movs: family,
  cmps: family,
  stos: family,
  lods: family,
  scas: family,
  ins: family,
  outs: family,
};
