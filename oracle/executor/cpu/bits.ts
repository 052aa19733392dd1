/** Single bits, bit scans and counts. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linear, linearBeyond, next, readable, source, writable } from './address.ts';
import type { Cpu } from './cpu.ts';
import { setArithmeticFlags, zero } from './flags.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, setRegister, store } from './operand.ts';

const { CF, ZF } = RFLAGS;

/** What happens to the tested bit: its new value from its old one. */
type Change = 'none' | 'set' | 'reset' | 'complement';

/** Test bit `n` of the operand at `p` (-1: register) and change it. ZF stays, O S A P are undefined and cleared. */
const test = (c: Cpu, o: Op, p: number, n: number, change: Change): void => {
  const lo = p < 0 ? getRegister(c, o.a, o.size) : peek(c, p, o.size);
  const hi = c.high;
  const old = n > 31 ? hi >>> (n - 32) : lo >>> n;
  if (change !== 'none') {
    const maskLo = n > 31 ? 0 : 1 << n;
    const maskHi = n > 31 ? 1 << (n - 32) : 0;
    if (change === 'set') store(c, o, p, o.a, lo | maskLo, hi | maskHi);
    else if (change === 'reset') store(c, o, p, o.a, lo & ~maskLo, hi & ~maskHi);
    else store(c, o, p, o.a, lo ^ maskLo, hi ^ maskHi);
  }
  setArithmeticFlags(c, (zero(c) ? ZF : 0) | (old & CF));
};

/** Address of the piece of a memory operand that a signed bit number leads to (upper half in `cpu.high`). */
const pieceAt = (c: Cpu, o: Op, n: number, upper: number): number => linearBeyond(c, o, ((n >>> 3) | (upper << 29)) & -o.size, upper >> 3);

/** Bit number in an immediate: taken modulo the operand size, memory or not; only Xen's emulator lets it reach beyond memory operands. */
const byImmediate =
  (change: Change): Handler =>
  (c, o) => {
    let p = -1;
    if (o.memory) {
      const imm = (o.imm << 24) >> 24;
      const at = c.emulated ? pieceAt(c, o, imm, imm >> 31) : linear(c, o);
      p = change === 'none' ? readable(c, o, at, c.high, o.size - 1) : writable(c, o, at, c.high, o.size - 1);
    }
    test(c, o, p, o.imm & (8 * o.size - 1), change);
    return next(c, o);
  };

/** Bit number in a register: with a memory operand it is signed and reaches beyond the addressed word. */
const byRegister =
  (change: Change): Handler =>
  (c, o) => {
    const { size } = o;
    const n = getRegister(c, o.b, size);
    const bit = n & (8 * size - 1);
    if (!o.memory) {
      test(c, o, -1, bit, change);
      return o.next;
    }
    const signed = size === 2 ? (n << 16) >> 16 : n;
    const upper = size === 8 ? c.high : signed >> 31;
    const lo = pieceAt(c, o, signed, upper);
    const p = change === 'none' ? readable(c, o, lo, c.high, size - 1) : writable(c, o, lo, c.high, size - 1);
    test(c, o, p, bit, change);
    return next(c, o);
  };

const both = (change: Change) => ({ immediate: byImmediate(change), register: byRegister(change) });
export const BIT_TEST: Readonly<Record<string, { readonly immediate: Handler; readonly register: Handler }>> = {
  bt: both('none'),
  bts: both('set'),
  btr: both('reset'),
  btc: both('complement'),
};

/** The r/m operand `b`, only read. */
const operand = (c: Cpu, o: Op): number => {
  if (!o.memory) return getRegister(c, o.b, o.size);
  return peek(c, source(c, o, o.size - 1), o.size);
};

const leading = (lo: number, hi: number): number => (hi !== 0 ? Math.clz32(hi) : 32 + Math.clz32(lo));
const lowestBit = (v: number): number => 31 - Math.clz32(v & -v);
const trailing = (lo: number, hi: number): number => (lo !== 0 ? lowestBit(lo) : hi !== 0 ? 32 + lowestBit(hi) : 64);

/** BSF, BSR: a zero source leaves the destination as it was (spec/isa/x86/undefined.ts). */
const scan =
  (find: (lo: number, hi: number) => number): Handler =>
  (c, o) => {
    const lo = operand(c, o);
    const hi = c.high;
    const none = (lo | hi) === 0;
    if (!none) setRegister(c, o.a, o.size, find(lo, hi), 0);
    setArithmeticFlags(c, none ? ZF : 0);
    return o.next;
  };
export const bsf = scan(trailing);
export const bsr = scan((lo, hi) => 63 - leading(lo, hi));

/** TZCNT, LZCNT: the operand size for a zero source, which C tells. */
const count =
  (find: (lo: number, hi: number, width: number) => number): Handler =>
  (c, o) => {
    const lo = operand(c, o);
    const hi = c.high;
    const n = find(lo, hi, 8 * o.size);
    setRegister(c, o.a, o.size, n, 0);
    setArithmeticFlags(c, ((lo | hi) === 0 ? CF : 0) | (n === 0 ? ZF : 0));
    return o.next;
  };
export const tzcnt = count((lo, hi, width) => Math.min(width, trailing(lo, hi)));
export const lzcnt = count((lo, hi, width) => leading(lo, hi) - (64 - width));

const ones = (v: number): number => {
  const pairs = v - ((v >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

export const popcnt: Handler = (c, o) => {
  const lo = operand(c, o);
  const hi = c.high;
  setRegister(c, o.a, o.size, ones(lo) + ones(hi), 0);
  setArithmeticFlags(c, (lo | hi) === 0 ? ZF : 0);
  return o.next;
};
