/** BMI1, BMI2, ADX and CRC32. Operands have 32 or 64 bits; halves: low first. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { source } from './address.ts';
import type { Cpu } from './cpu.ts';
import { arithmeticFlags, setArithmeticFlags } from './flags.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, setRegister } from './operand.ts';
import { sarHigh, sarLow, shlHigh, shlLow, shrHigh, shrLow } from './shift.ts';

const { CF, ZF, SF, OF } = RFLAGS;

/** The r/m operand, a register at `place` unless it is memory. */
const operand = (c: Cpu, o: Op, place: number, size = o.size): number =>
  o.memory ? peek(c, source(c, o, size - 1), size) : getRegister(c, place, size);

/** Into the destination, with S, Z and C; O is 0, A and P are undefined and 0. */
const finish = (c: Cpu, o: Op, place: number, lo: number, hi: number, carry: boolean): Op => {
  setRegister(c, place, o.size, lo, hi);
  const high = o.size === 8 ? hi : lo;
  const none = o.size === 8 ? (lo | hi) === 0 : lo === 0;
  setArithmeticFlags(c, (high < 0 ? SF : 0) | (none ? ZF : 0) | (carry ? CF : 0));
  return o.next;
};

export const andn: Handler = (c, o) => {
  const lo = operand(c, o, o.v);
  const hi = c.high;
  const not = ~getRegister(c, o.b, o.size);
  return finish(c, o, o.a, not & lo, ~c.high & hi, false);
};

/** BLSR, BLSMSK, BLSI combine a value with itself less one, or with its negative. `carry`: C says whether it was zero, or not. */
const lowest =
  (combine: (value: number, other: number) => number, negative: boolean, carryOfZero: boolean): Handler =>
  (c, o) => {
    const lo = operand(c, o, o.b);
    const hi = c.high;
    const otherLo = negative ? -lo | 0 : (lo - 1) | 0;
    const otherHi = negative ? ~hi + (lo === 0 ? 1 : 0) : hi - (lo === 0 ? 1 : 0);
    const isZero = o.size === 8 ? (lo | hi) === 0 : lo === 0;
    return finish(c, o, o.a, combine(lo, otherLo), combine(hi, otherHi | 0), isZero === carryOfZero);
  };
export const blsr = lowest((value, less) => value & less, false, true);
export const blsmsk = lowest((value, less) => value ^ less, false, true);
export const blsi = lowest((value, minus) => value & minus, true, false);

/** The low `n` bits, 0 to 64, of a value: `cpu.high` in and out. */
const lowBits = (c: Cpu, lo: number, n: number): number => {
  if (n >= 64) return lo;
  const high = c.high;
  c.high = n > 32 ? high & ~(-1 << (n - 32)) : 0;
  return n >= 32 ? lo : n === 0 ? 0 : lo & (-1 >>> (32 - n));
};

/** BEXTR: start in bits 0 to 7 of the control, length in 8 to 15. S is undefined and 0. */
export const bextr: Handler = (c, o) => {
  const lo = operand(c, o, o.b);
  const hi = c.high;
  const control = getRegister(c, o.v, o.size);
  const start = control & 0xff;
  const beyond = start >= 8 * o.size;
  c.high = beyond ? 0 : shrHigh(hi, start);
  const found = lowBits(c, beyond ? 0 : shrLow(lo, hi, start), Math.min(64, (control >>> 8) & 0xff));
  setRegister(c, o.a, o.size, found, c.high);
  setArithmeticFlags(c, (found | (o.size === 8 ? c.high : 0)) === 0 ? ZF : 0);
  return o.next;
};

export const bzhi: Handler = (c, o) => {
  const lo = operand(c, o, o.b);
  const hi = c.high;
  const n = getRegister(c, o.v, o.size) & 0xff;
  const width = 8 * o.size;
  c.high = hi;
  const kept = lowBits(c, lo, Math.min(n, width));
  return finish(c, o, o.a, kept, c.high, n >= width);
};

const whole = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** PDEP and PEXT by the bits of a mask, from the lowest up. */
const byMask =
  (deposit: boolean): Handler =>
  (c, o) => {
    const maskLo = operand(c, o, o.v);
    const mask = whole(maskLo, c.high);
    const valueLo = getRegister(c, o.b, o.size);
    const value = whole(valueLo, c.high);
    let found = 0n;
    let n = 0n;
    for (let bit = 0n; bit < 64n; bit++) {
      if (((mask >> bit) & 1n) === 0n) continue;
      found |= deposit ? ((value >> n) & 1n) << bit : ((value >> bit) & 1n) << n;
      n++;
    }
    setRegister(c, o.a, o.size, Number(BigInt.asIntN(32, found)), Number(BigInt.asIntN(32, found >> 32n)));
    return o.next;
  };
export const pdep = byMask(true);
export const pext = byMask(false);

/** MULX: EDX or RDX times the source; the upper half goes into the first operand, and counts when both are the same register. */
export const mulx: Handler = (c, o) => {
  const lo = operand(c, o, o.v);
  const hi = c.high;
  const { s } = c;
  const [lowPlace, highPlace] = [o.b, o.a];
  if (o.size === 4) {
    const product = BigInt(lo >>> 0) * BigInt(s[4] >>> 0);
    setRegister(c, lowPlace, 4, Number(BigInt.asIntN(32, product)), 0);
    setRegister(c, highPlace, 4, Number(BigInt.asIntN(32, product >> 32n)), 0);
    return o.next;
  }
  const product = whole(lo, hi) * whole(s[4], s[5]);
  const half = (at: bigint): number => Number(BigInt.asIntN(32, product >> at));
  setRegister(c, lowPlace, 8, half(0n), half(32n));
  setRegister(c, highPlace, 8, half(64n), half(96n));
  return o.next;
};

/** SHLX, SHRX, SARX: no flags. */
const shiftBy =
  (low: (lo: number, hi: number, n: number) => number, high: (lo: number, hi: number, n: number) => number, signed: boolean): Handler =>
  (c, o) => {
    const lo = operand(c, o, o.b);
    const hi = o.size === 8 ? c.high : signed ? lo >> 31 : 0;
    const n = getRegister(c, o.v, o.size) & (8 * o.size - 1);
    setRegister(c, o.a, o.size, low(lo, hi, n), high(lo, hi, n));
    return o.next;
  };
export const shlx = shiftBy((lo, _, n) => shlLow(lo, n), shlHigh, false);
export const shrx = shiftBy(shrLow, (_, hi, n) => shrHigh(hi, n), false);
export const sarx = shiftBy(sarLow, (_, hi, n) => sarHigh(hi, n), true);

export const rorx: Handler = (c, o) => {
  const lo = operand(c, o, o.b);
  const hi = c.high;
  const n = o.imm & (8 * o.size - 1);
  if (o.size === 4) setRegister(c, o.a, 4, n === 0 ? lo : (lo >>> n) | (lo << (32 - n)), 0);
  else if (n === 0) setRegister(c, o.a, 8, lo, hi);
  else setRegister(c, o.a, 8, shrLow(lo, hi, n) | shlLow(lo, 64 - n), shrHigh(hi, n) | shlHigh(lo, hi, 64 - n));
  return o.next;
};

/** ADCX works with C alone, ADOX with O alone. */
const addBy =
  (flag: number): Handler =>
  (c, o) => {
    const lo = operand(c, o, o.b);
    const hi = c.high;
    const flags = arithmeticFlags(c);
    const own = getRegister(c, o.a, o.size);
    const low = (lo >>> 0) + (own >>> 0) + ((flags & flag) !== 0 ? 1 : 0);
    const high = o.size === 8 ? (hi >>> 0) + (c.high >>> 0) + (low > 0xffffffff ? 1 : 0) : 0;
    setRegister(c, o.a, o.size, low | 0, high | 0);
    const out = (o.size === 8 ? high : low) > 0xffffffff;
    setArithmeticFlags(c, (flags & ~flag) | (out ? flag : 0));
    return o.next;
  };
export const adcx = addBy(CF);
export const adox = addBy(OF);

/** The polynomial 0x11edc6f41, bits reversed. */
const CASTAGNOLI = 0x82f63b78;

/** CRC32 takes 1, 2, 4 or 8 bytes in. */
export const crc32 =
  (bytes: number): Handler =>
  (c, o) => {
    const lo = operand(c, o, o.b, bytes);
    const hi = c.high;
    let crc = c.s[o.a];
    for (let n = 0; n < 8 * bytes; n++) {
      const bit = (n < 32 ? lo >>> n : hi >>> (n - 32)) & 1;
      crc = ((crc ^ bit) & 1) !== 0 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
    }
    c.s[o.a] = crc;
    c.s[o.a + 1] = 0;
    return o.next;
  };
