/** BMI1 and BMI2. Flags that are undefined become 0: x86/undefined-flags_clear. */
import { multiplyUnsigned } from '../../../word/multiply.ts';
import { type Size, signExtend, zeroExtend } from '../../../word/size.ts';
import { add, and, bit, bitMask, isZero, neg, not, ONE, or, sar, shl, shr, sub, type Word, xor, ZERO } from '../../../word/word.ts';
import { ARITHMETIC, CF, OF, resultFlags, SF, setFlags, ZF } from '../flags.ts';
import { finish, read, writeRegister } from '../operand.ts';
import { advance, type Rules, type Semantics } from '../running.ts';
import { RDX } from '../state.ts';
import { maskedCount } from './shift.ts';

const signAndZero = (r: Word, size: Size): number => resultFlags(r, size) & (SF | ZF);

/** ANDN: DEST ← ¬SRC1 ∧ SRC2. */
const andnRule: Semantics = (s, i) => {
  const r = and(not(read(s, i, i.src)), read(s, i, i.third));
  const cut = zeroExtend(r, i.dst.size);
  return finish(s, i, i.dst, cut, setFlags(s.flags, ARITHMETIC, signAndZero(cut, i.dst.size)));
};

/** BLSI, BLSR, BLSMSK: about the lowest bit that is set; `carries` says for which source CF is set, the empty or any other. */
const lowestBit =
  (make: (a: Word) => Word, carries: 'empty' | 'other'): Semantics =>
  (s, i) => {
    const { size } = i.dst;
    const a = read(s, i, i.src);
    const r = zeroExtend(make(a), size);
    const carry = isZero(a) === (carries === 'empty') ? CF : 0;
    return finish(s, i, i.dst, r, setFlags(s.flags, ARITHMETIC, signAndZero(r, size) | carry));
  };
/** BLSI: that bit alone. */
const blsiRule = lowestBit((a) => and(neg(a), a), 'other');
/** BLSR: everything but it. */
const blsrRule = lowestBit((a) => and(sub(a, ONE), a), 'empty');
/** BLSMSK: it and all below. */
const blsmskRule = lowestBit((a) => xor(sub(a, ONE), a), 'empty');

const onesBelow = (n: number): Word => (n >= 64 ? not(ZERO) : sub(bitMask(n), ONE));

/** BEXTR: so many bits as the second byte of SRC2 says, from the bit that its first byte says. */
const bextrRule: Semantics = (s, i) => {
  const control = read(s, i, i.third).lo;
  const from = control & 0xff;
  const source = read(s, i, i.src);
  const shifted = from >= 64 ? ZERO : shr(source, from);
  const r = and(shifted, onesBelow((control >>> 8) & 0xff));
  return finish(s, i, i.dst, r, setFlags(s.flags, ARITHMETIC, isZero(r) ? ZF : 0));
};

/** BZHI: the bits from number SRC2 on become 0; CF when there are none. */
const bzhiRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const from = read(s, i, i.third).lo & 0xff;
  const beyond = from >= 8 * size;
  const r = beyond ? read(s, i, i.src) : and(read(s, i, i.src), onesBelow(from));
  return finish(s, i, i.dst, r, setFlags(s.flags, ARITHMETIC, signAndZero(r, size) | (beyond ? CF : 0)));
};

/** The numbers of the bits that are set, ascending. */
const bitsOf = (mask: Word): readonly number[] => Array.from({ length: 64 }, (_, n) => n).filter((n) => bit(mask, n) === 1);

/** PEXT: the bits of SRC1 that the mask names, side by side at the bottom. */
const pextRule: Semantics = (s, i) => {
  const a = read(s, i, i.src);
  const r = bitsOf(read(s, i, i.third)).reduce((sum, from, to) => (bit(a, from) === 1 ? or(sum, bitMask(to)) : sum), ZERO);
  return finish(s, i, i.dst, r);
};

/** PDEP: the bottom bits of SRC1 at the places that the mask names. */
const pdepRule: Semantics = (s, i) => {
  const a = read(s, i, i.src);
  const r = bitsOf(read(s, i, i.third)).reduce((sum, to, from) => (bit(a, from) === 1 ? or(sum, bitMask(to)) : sum), ZERO);
  return finish(s, i, i.dst, r);
};

/** MULX: DEST and SRC1 ← the upper and the lower half of rDX · SRC2, unsigned. For one register in both roles it is the upper half. */
const mulxRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const { high, low } = multiplyUnsigned(zeroExtend(s.regs[RDX], size), read(s, i, i.third));
  const upper = size === 8 ? high : shr(low, 32);
  return advance(s, i, writeRegister(writeRegister(s.regs, i.src, zeroExtend(low, size)), i.dst, upper), s.flags, s.memory);
};

/** SHLX, SHRX, SARX: shifts by a register, without flags. */
const shiftBy =
  (shift: (a: Word, n: number, size: Size) => Word): Semantics =>
  (s, i) => {
    const { size } = i.dst;
    const r = shift(read(s, i, i.src), maskedCount(read(s, i, i.third), size), size);
    return finish(s, i, i.dst, zeroExtend(r, size));
  };
const shlxRule = shiftBy(shl);
const shrxRule = shiftBy(shr);
const sarxRule = shiftBy((a, n, size) => sar(signExtend(a, size), n));

/** RORX: rotate right by the immediate, without flags. */
const rorxRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = read(s, i, i.src);
  const n = maskedCount(i.third.value, size);
  return finish(s, i, i.dst, n === 0 ? a : zeroExtend(or(shr(a, n), shl(a, 8 * size - n)), size));
};

/** ADCX, ADOX: DEST ← DEST + SRC + a flag, which takes the carry; no other flag changes. */
const addWith =
  (flag: number): Semantics =>
  (s, i) => {
    const { size } = i.dst;
    const [a, b] = [read(s, i, i.dst), read(s, i, i.src)];
    const r = add(a, b, (s.flags & flag) !== 0 ? 1 : 0);
    const top = 8 * size - 1;
    const carried = bit(or(and(a, b), and(or(a, b), not(r))), top) === 1;
    return finish(s, i, i.dst, zeroExtend(r, size), setFlags(s.flags, flag, carried ? flag : 0));
  };

export const BMI_RULES: Rules = {
  adcx: addWith(CF),
  adox: addWith(OF),
  andn: andnRule,
  bextr: bextrRule,
  blsi: blsiRule,
  blsmsk: blsmskRule,
  blsr: blsrRule,
  bzhi: bzhiRule,
  mulx: mulxRule,
  pdep: pdepRule,
  pext: pextRule,
  rorx: rorxRule,
  sarx: sarxRule,
  shlx: shlxRule,
  shrx: shrxRule,
};
