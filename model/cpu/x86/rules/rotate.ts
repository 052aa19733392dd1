/** Rotations. A masked count of zero changes no flag; OF is defined for a masked count of one and cleared otherwise. */
import { type Size, zeroExtend } from '../../../word/size.ts';
import { bit, or, shl, shr, type Word, word } from '../../../word/word.ts';
import { CF, OF, setFlags } from '../flags.ts';
import { finish, read, readToWrite } from '../operand.ts';
import type { Rules, Semantics } from '../running.ts';
import { maskedCount } from './shift.ts';

/** `a` of `size` bytes rotated left by n places, n below its width. */
const rotateLeft = (a: Word, n: number, size: Size): Word => (n === 0 ? a : zeroExtend(or(shl(a, n), shr(a, 8 * size - n)), size));

const rotateFlags = (flags: number, carry: number, overflow: number): number => setFlags(flags, CF | OF, carry | (overflow << 11));

/** ROL: CF is the bit that came round to the bottom; OF: top bit ⊕ CF. */
const rolRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const r = rotateLeft(a, n % bits, size);
  const carry = r.lo & 1;
  return finish(s, i, i.dst, r, rotateFlags(s.flags, carry, n === 1 ? carry ^ bit(r, bits - 1) : 0));
};

/** ROR: CF is the bit that came round to the top; OF: the two top bits differ. */
const rorRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const r = rotateLeft(a, (bits - (n % bits)) % bits, size);
  const carry = bit(r, bits - 1);
  return finish(s, i, i.dst, r, rotateFlags(s.flags, carry, n === 1 ? carry ^ bit(r, bits - 2) : 0));
};

type Rotated = { readonly value: Word; readonly carry: number };

/** One place to the left, through CF. */
const throughLeft = ({ value, carry }: Rotated, size: Size): Rotated => ({
  value: zeroExtend(or(shl(value, 1), word(0, carry)), size),
  carry: bit(value, 8 * size - 1),
});

/** One place to the right, through CF. */
const throughRight = ({ value, carry }: Rotated, size: Size): Rotated => ({
  value: or(shr(value, 1), shl(word(0, carry), 8 * size - 1)),
  carry: value.lo & 1,
});

const repeat = (turn: typeof throughLeft, start: Rotated, n: number, size: Size): Rotated => {
  let now = start;
  for (let k = 0; k < n; k++) now = turn(now, size);
  return now;
};

/** RCL: rotate left a value that CF makes one bit wider. OF: top bit ⊕ CF, both after. */
const rclRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const { value, carry } = repeat(throughLeft, { value: a, carry: s.flags & CF }, n % (bits + 1), size);
  return finish(s, i, i.dst, value, rotateFlags(s.flags, carry, n === 1 ? carry ^ bit(value, bits - 1) : 0));
};

/** RCR: as RCL to the right. OF: the two top bits of the result differ. */
const rcrRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const { value, carry } = repeat(throughRight, { value: a, carry: s.flags & CF }, n % (bits + 1), size);
  return finish(s, i, i.dst, value, rotateFlags(s.flags, carry, n === 1 ? bit(value, bits - 1) ^ bit(value, bits - 2) : 0));
};

export const ROTATE_RULES: Rules = {
  rol: rolRule,
  ror: rorRule,
  rcl: rclRule,
  rcr: rcrRule,
};
