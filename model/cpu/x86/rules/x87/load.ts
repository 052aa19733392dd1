/** Pushes: FLD, FILD, FBLD and the constants. */
import { fromDecimal } from '../../../../fp/bcd.ts';
import { DE, NEAREST, type Rounding, UP } from '../../../../fp/exception.ts';
import { encodeZero80, ONE_80 } from '../../../../fp/extended.ts';
import { exactly } from '../../../../fp/result.ts';
import { isDenormal, type Value } from '../../../../fp/value.ts';
import { unary80 } from '../../../../fp/x87.ts';
import { readBlock } from '../../block.ts';
import { INDEFINITE_80, isEmpty, noted, pushed, stBits } from '../../fpu/stack.ts';
import { fullControlOf } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { citing, type Rules, type Running, type Semantics } from '../../running.ts';
import { answered, done, memoryFloat, memoryInteger, overflow, underflow } from './operand.ts';

const TEN_BYTES = 10;

/** The ten bytes of a memory operand as an integer: eight of them, then two. */
const readTen = (s: Running, i: Instruction): bigint =>
  [...readBlock(s, i, i.dst, 8, 0, 8), ...readBlock(s, i, i.dst, 2, 8)].reduceRight((bits, byte) => (bits << 8n) | BigInt(byte), 0n);

const isFull = (s: Running): boolean => !isEmpty(s.fpu, 7);
const pushIndefinite = (s: Running, i: Instruction): Running => overflow(s, i, (fpu) => pushed(fpu, INDEFINITE_80));

/** Push bits as they are: only the stack can be at fault. */
const pushBits = (s: Running, i: Instruction, bits: bigint): Running =>
  isFull(s) ? pushIndefinite(s, i) : done(s, i, pushed(noted(s.fpu, 0, false), bits));

/**
 * Push a number of a narrower format: exact, but a NaN that signals is invalid and a denormal is told. fp/x87-load_denormal: it is
 * pushed even when D is not masked.
 */
const pushValue = (s: Running, i: Instruction, value: Value): Running => {
  if (isFull(s)) return pushIndefinite(s, i);
  const control = fullControlOf(s.fpu);
  const cited = isDenormal(value) ? citing(s, 'fp/x87-load_denormal') : s;
  return answered(cited, i, unary80(exactly, value, { ...control, masks: control.masks | DE }), pushed);
};

/** FLD: memory of 4, 8, 10 bytes, or another register. */
const fldRule: Semantics = (s, i) => {
  if (i.dst.kind === 'mem') return i.dst.bytes === TEN_BYTES ? pushBits(s, i, readTen(s, i)) : pushValue(s, i, memoryFloat(s, i));
  if (isEmpty(s.fpu, i.dst.index)) return underflow(s, i, (fpu) => pushed(fpu, INDEFINITE_80));
  return pushBits(s, i, stBits(s.fpu, i.dst.index));
};

const fildRule: Semantics = (s, i) => pushValue(s, i, memoryInteger(s, i));

const fbldRule: Semantics = (s, i) => pushValue(s, i, fromDecimal(readTen(s, i)));

/** Cut off when rounding goes down or towards zero; `nearest` and `up` say by how much the others exceed that. */
const constantRule =
  (truncated: bigint, roundedUpBy: Readonly<Record<'nearest' | 'up', bigint>>): Semantics =>
  (s, i) => {
    const mode: Rounding = fullControlOf(s.fpu).mode;
    const more = mode === NEAREST ? roundedUpBy.nearest : mode === UP ? roundedUpBy.up : 0n;
    return pushBits(citing(s, 'fp/x87-constants'), i, truncated + more);
  };

const EXACT = { nearest: 0n, up: 0n } as const;
const BELOW_HALF = { nearest: 0n, up: 1n } as const;
const ABOVE_HALF = { nearest: 1n, up: 1n } as const;

export const LOAD_RULES: Rules = {
  fld: fldRule,
  fild: fildRule,
  fbld: fbldRule,
  fldz: constantRule(encodeZero80(0), EXACT),
  fld1: constantRule(ONE_80, EXACT),
  fldl2t: constantRule(0x4000_d49a_784b_cd1b_8afen, BELOW_HALF),
  fldl2e: constantRule(0x3fff_b8aa_3b29_5c17_f0bbn, ABOVE_HALF),
  fldpi: constantRule(0x4000_c90f_daa2_2168_c234n, ABOVE_HALF),
  fldlg2: constantRule(0x3ffd_9a20_9a84_fbcf_f798n, ABOVE_HALF),
  fldln2: constantRule(0x3ffe_b172_17f7_d1cf_79abn, ABOVE_HALF),
};
