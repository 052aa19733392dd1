/** Single bits: test and change them, find them, count them. */
import type { Memory } from '../../../memory/memory.ts';
import { ACCESS } from '../../../memory/translate.ts';
import { signExtend, zeroExtend } from '../../../word/size.ts';
import { add, and, bit, bitMask, isZero, not, or, sar, shl, shr, Word, xor } from '../../../word/word.ts';
import { ARITHMETIC, CF, setFlags, ZF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear, writeLinear } from '../linear.ts';
import { cutAddress, effectiveAddress, finish, read, readToWrite } from '../operand.ts';
import { advance, type Rules, type Running, type Semantics, withFlags } from '../running.ts';
import { segmented } from '../segmentation.ts';

/** CF is the bit; ZF keeps its value; OF SF AF PF are undefined: x86/undefined-flags_clear. */
const bitFlags = (flags: number, carry: number): number => setFlags(flags, ARITHMETIC & ~ZF, carry);

type Change = (value: Word, mask: Word) => Word;

/** BTS, BTR, BTC for a register or an immediate offset into a register or memory. */
const changeBit =
  (change: Change): Semantics =>
  (s, i) => {
    if (reachesFar(s, i)) return changeFarBit(s, i, change);
    const value = readToWrite(s, i, i.dst);
    const n = read(s, i, i.src).lo & (8 * i.dst.size - 1);
    return finish(s, i, i.dst, change(value, bitMask(n)), bitFlags(s.flags, bit(value, n)));
  };

/** A register offset into memory is signed and may reach beyond the operand; to Xen's emulator an immediate one too. */
const reachesFar = ({ platform }: Running, i: Instruction): boolean =>
  i.dst.kind === 'mem' && (i.src.kind === 'reg' || platform.emulator === true);

const signedOffset = (s: Running, i: Instruction): Word =>
  i.src.kind === 'imm' ? signExtend(i.src.value, 1) : signExtend(read(s, i, i.src), i.dst.size);

/** The address of the operand-sized piece that holds the bit, for an offset that may reach beyond the operand. */
export const farAddress = (s: Running, i: Instruction, access: number): Word => {
  const { size } = i.dst;
  const pieces = sar(signedOffset(s, i), size === 8 ? 6 : size === 4 ? 5 : 4);
  const address = add(effectiveAddress(s, i, i.dst), shl(pieces, size === 8 ? 3 : size === 4 ? 2 : 1));
  return segmented(s, i.dst.segment, cutAddress(address, i.dst.addressSize), size, access);
};

const changeFarBit = (s: Running, i: Instruction, change: Change): Running => {
  const { size, stack } = i.dst;
  const at = farAddress(s, i, ACCESS.WRITE);
  const value = readLinear(s, at, size, stack, ACCESS.WRITE);
  const n = read(s, i, i.src).lo & (8 * size - 1);
  const memory: Memory = writeLinear(s, at, size, change(value, bitMask(n)), stack);
  return advance(s, i, s.regs, bitFlags(s.flags, bit(value, n)), memory);
};

/** BT: CF ← the bit. */
const btRule: Semantics = (s, i) => {
  const { size, stack } = i.dst;
  const value = reachesFar(s, i) ? readLinear(s, farAddress(s, i, ACCESS.READ), size, stack) : read(s, i, i.dst);
  return withFlags(s, i, bitFlags(s.flags, bit(value, read(s, i, i.src).lo & (8 * size - 1))));
};

/** BTS: CF ← the bit, the bit ← 1. */
const btsRule = changeBit(or);
/** BTR: CF ← the bit, the bit ← 0. */
const btrRule = changeBit((value, mask) => and(value, not(mask)));
/** BTC: CF ← the bit, the bit ← its opposite. */
const btcRule = changeBit(xor);

/** Zeros below the lowest bit that is set; the word must not be zero. */
const lowest = ({ lo, hi }: Word): number => (lo !== 0 ? 31 - Math.clz32(lo & -lo) : 63 - Math.clz32(hi & -hi));
/** Number of the highest bit that is set; the word must not be zero. */
const highest = ({ lo, hi }: Word): number => (hi !== 0 ? 63 - Math.clz32(hi) : 31 - Math.clz32(lo));

/** BSF and BSR: a source of zero sets ZF and leaves the whole destination alone (spec/isa/x86/undefined.ts). */
const scan =
  (find: (a: Word) => number): Semantics =>
  (s, i) => {
    const a = read(s, i, i.src);
    const flags = s.flags & ~ARITHMETIC;
    return isZero(a) ? withFlags(s, i, flags | ZF) : finish(s, i, i.dst, new Word(0, find(a)), flags);
  };
const bsfRule = scan(lowest);
const bsrRule = scan(highest);

/** TZCNT, LZCNT, POPCNT: a count, with ZF for a count of zero, and CF (not for POPCNT) for a source of zero. */
const count =
  (find: (a: Word, bits: number) => number, zeroSourceCarries: number): Semantics =>
  (s, i) => {
    const a = read(s, i, i.src);
    const n = find(a, 8 * i.dst.size);
    const flags = (n === 0 ? ZF : 0) | (isZero(a) ? zeroSourceCarries : 0);
    return finish(s, i, i.dst, new Word(0, n), setFlags(s.flags, ARITHMETIC, flags));
  };
const tzcntRule = count((a, bits) => (isZero(a) ? bits : lowest(a)), CF);
const lzcntRule = count((a, bits) => (isZero(a) ? bits : bits - 1 - highest(a)), CF);
const popcntRule = count((a) => ones(a.lo) + ones(a.hi), 0);

/** Bits set in 32, summed in ever wider groups. */
const ones = (n: number): number => {
  const pairs = n - ((n >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** The bytes of a value in reverse order. */
export const reversed = (a: Word, size: 2 | 4 | 8): Word => {
  const swapped = new Word(swap32(a.lo), swap32(a.hi));
  return size === 8 ? swapped : zeroExtend(shr(swapped, 64 - 8 * size), size);
};

const swap32 = (n: number): number => (n << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24);

/** BSWAP: reverse the bytes. Of a 16-bit register nothing is defined; it becomes 0 (spec/isa/x86/undefined.ts). */
const bswapRule: Semantics = (s, i) => {
  const { size } = i.dst;
  return finish(s, i, i.dst, size === 8 || size === 4 ? reversed(read(s, i, i.dst), size) : new Word(0, 0));
};

export const BITS_RULES: Rules = {
  bt: btRule,
  bts: btsRule,
  btr: btrRule,
  btc: btcRule,
  bsf: bsfRule,
  bsr: bsrRule,
  tzcnt: tzcntRule,
  lzcnt: lzcntRule,
  popcnt: popcntRule,
  bswap: bswapRule,
};
