/** String instructions: pointers that run over page borders, small counts, and memory that is equal for a while. */
import { CODE, CODE_END, DATA, DATA_END, DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import { type Draft, ES } from '../draft.ts';
import { anyPlace } from '../places.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RAX, RCX, RDI, RSI } from './family.ts';

const pointer = (d: Draft): bigint => {
  const { s } = d;
  switch (s.below(6)) {
    case 0:
      return BigInt(s.pick([DATA, DATA + PAGE, DATA_READ_ONLY, DATA_READ_ONLY + PAGE, DATA_END, DATA_END + PAGE, STACK]) + s.int(-24, 24));
    case 1:
      return anyPlace(s, d.size, d.mode === '64').address;
    default:
      return BigInt(DATA + 0x200 + s.below(0x1c00));
  }
};

const setPointer = (d: Draft, register: number): void => {
  d.point(register, BigInt.asUintN(64, pointer(d)), register === RSI ? d.dataSegment() : ES);
};

const strings = (d: Draft): void => {
  const { s } = d;
  setPointer(d, RSI);
  setPointer(d, RDI);
  if (s.one(5)) d.point(RDI, at(d, RSI) + BigInt(s.int(-16, 16)), ES);
  const count = BigInt(s.one(12) ? s.below(3000) : s.below(12));
  if (s.one(2)) d.regs[RCX] = count;
  else d.setLow(RCX, d.addressBytes, count);
  if (!s.one(3)) alike(d);
  if (nearCode(at(d, RDI) & 0xffffffffn)) d.way = 'step';
};

/** Whether it may write into code on its way, so that it must be watched step by step. */
const nearCode = (at: bigint): boolean => at >= BigInt(CODE - 8 * PAGE) && at < BigInt(CODE_END + 8 * PAGE);

/** The linear address that RSI or RDI stands for. */
const at = (d: Draft, register: number): bigint =>
  d.linearOf(register === RSI ? d.dataSegment() : ES, BigInt.asUintN(8 * d.addressBytes, d.regs[register]));

/** The same unit several times at both pointers and in RAX, so that comparisons go on. */
const alike = (d: Draft): void => {
  const { s } = d;
  const unit = bytesOf(operandValue(s, 8), d.size);
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => unit[i % unit.length]);
  for (const register of [RSI, RDI]) {
    const place = at(d, register);
    if (place < 0x80000000n) d.poke(place, bytes);
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
