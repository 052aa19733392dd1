/** The areas of FXSAVE and XSAVE in memory, 16 bytes at a time: being aligned, no such piece lies in two pages. */

import { CR4 as CR4_BITS, EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { linear, linearBeyond, readable, writable } from '../address.ts';
import { isCanonical } from '../canonical.ts';
import type { Cpu } from '../cpu.ts';
import { AC, GP, SS } from '../exit.ts';
import { CPL, CR4, EFER, MXCSR, X87, X87_CONTROL, X87_STATUS, X87_TAG, XMM } from '../layout.ts';
import { Op } from '../op.ts';
import { OFFSET, throughSegment } from '../segmentation.ts';
import { MXCSR_MASK } from '../sse/special.ts';
import { setWords } from './control.ts';
import { placeOf } from './unit.ts';

const PIECE = 16;
/** The area of FXSAVE, which that of XSAVE begins with. */
export const FXSAVE_BYTES = 512;

/** Machine address of the piece at `offset` of the area. */
export const toRead = (c: Cpu, o: Op, offset: number): number => {
  const lo = linearBeyond(c, o, offset, 0);
  return readable(c, o, lo, c.high, PIECE - 1);
};
export const toWrite = (c: Cpu, o: Op, offset: number): number => {
  const lo = linearBeyond(c, o, offset, 0);
  return writable(c, o, lo, c.high, PIECE - 1);
};

/** The operand without its alignment, which is that of the area, not of its pieces. */
export const pieceOf = (o: Op): Op => Object.assign(new Op(o.run), o, { align: 1 });

/** For FXSAVE and FXRSTOR segment limit or canonical form of the first byte's address come before the alignment, for the others after. */
const checkStart = (c: Cpu, o: Op, piece: Op, write: boolean, bytes: number): void => {
  if (bytes > FXSAVE_BYTES) {
    const lo = linear(c, o);
    if (c.high === OFFSET) throughSegment(c, o, lo, 1, write);
    return;
  }
  const lo = linear(c, piece);
  if (c.high === OFFSET) {
    // Whether the segment may be written is asked behind the alignment.
    checkArea(c, o, throughSegment(c, piece, lo, 1, false));
  } else if (isCanonical(c.high)) checkArea(c, o, lo);
  else c.fault(o.stack ? SS : GP, 0);
};

/** A misaligned area of FXSAVE is #GP(0); #AC where misaligned data are, if it does not begin at a multiple of four. */
const checkArea = (c: Cpu, o: Op, lo: number): void => {
  if ((lo & (o.align - 1)) !== 0) c.fault((lo & 3) !== 0 && c.aligned ? AC : GP, 0);
};

/**
 * Meet the faults of an area of `bytes` bytes before anything is written. FXSAVE and FXRSTOR reach for the last byte first, the XSAVE
 * family for the start before that.
 */
export const checkWritable = (c: Cpu, o: Op, piece: Op, bytes: number): void => {
  checkStart(c, o, piece, true, bytes);
  if (bytes > FXSAVE_BYTES) toWrite(c, o, 0);
  writable(c, piece, linearBeyond(c, piece, bytes - 1, 0), c.high, 0);
  toWrite(c, o, 0);
};
export const checkReadable = (c: Cpu, o: Op, piece: Op, bytes: number): void => {
  checkStart(c, o, piece, false, bytes);
  if (bytes > FXSAVE_BYTES) {
    toRead(c, o, 0);
    toRead(c, piece, FXSAVE_BYTES);
  }
  readable(c, piece, linearBeyond(c, piece, bytes - 1, 0), c.high, 0);
  toRead(c, o, 0);
};

const REGISTERS = 32;
const VECTORS = 160;

/** Outside 64-bit mode there are eight XMM registers. */
export const vectorCount = (o: Op): number => (o.legacy ? 8 : 16);

/** Words, tag, and the registers from the top down. The pointers to the last instruction read as zero. */
export const saveX87 = (c: Cpu, o: Op): void => {
  const { dv, s } = c;
  const head = toWrite(c, o, 0);
  dv.setUint16(head, s[X87_CONTROL], true);
  dv.setUint16(head + 2, s[X87_STATUS], true);
  dv.setUint32(head + 4, s[X87_TAG], true);
  dv.setBigUint64(head + 8, 0n, true);
  dv.setBigUint64(toWrite(c, o, PIECE), 0n, true);
  for (let i = 0; i < 8; i++) {
    const at = placeOf(c, i);
    const p = toWrite(c, o, REGISTERS + PIECE * i);
    dv.setBigUint64(p, c.u64[at >> 1], true);
    dv.setBigUint64(p + 8, BigInt(s[at + 2] & 0xffff), true);
  }
};

export const saveMxcsr = (c: Cpu, o: Op): void => {
  const p = toWrite(c, o, PIECE);
  c.dv.setInt32(p + 8, c.s[MXCSR], true);
  c.dv.setInt32(p + 12, MXCSR_MASK, true);
};

export const saveVectors = (c: Cpu, o: Op): void => {
  for (let n = 0; n < vectorCount(o); n++) {
    const p = toWrite(c, o, VECTORS + PIECE * n);
    for (let k = 0; k < 4; k++) c.dv.setInt32(p + 4 * k, c.s[XMM + 4 * n + k], true);
  }
};

export const restoreX87 = (c: Cpu, o: Op): void => {
  const { dv, s } = c;
  const head = toRead(c, o, 0);
  s[X87_TAG] = dv.getUint8(head + 4);
  setWords(c, dv.getUint16(head, true), dv.getUint16(head + 2, true));
  for (let i = 0; i < 8; i++) {
    const at = placeOf(c, i);
    const p = toRead(c, o, REGISTERS + PIECE * i);
    c.u64[at >> 1] = dv.getBigUint64(p, true);
    s[at + 2] = dv.getUint16(p + 8, true);
  }
};
export const resetX87 = (c: Cpu): void => {
  setWords(c, 0x37f, 0);
  c.s[X87_TAG] = 0;
  c.s.fill(0, X87, X87 + 32);
};

/** MXCSR as the area has it; reserved bits are #GP(0). */
export const checkedMxcsr = (c: Cpu, o: Op): number => {
  const value = c.dv.getInt32(toRead(c, o, PIECE) + 8, true);
  if ((value & ~MXCSR_MASK) !== 0) c.fault(GP, 0);
  return value;
};
export const restoreVectors = (c: Cpu, o: Op): void => {
  for (let n = 0; n < vectorCount(o); n++) {
    const p = toRead(c, o, VECTORS + PIECE * n);
    for (let k = 0; k < 4; k++) c.s[XMM + 4 * n + k] = c.dv.getInt32(p + 4 * k, true);
  }
};
export const resetVectors = (c: Cpu, o: Op): void => {
  c.s.fill(0, XMM, XMM + 4 * vectorCount(o));
};

/** FXSAVE and FXRSTOR know MXCSR only for a kernel that does, and leave the vectors out for one that asked for speed (EFER.FFXSR). */
export const hasMxcsr = ({ s }: Cpu): boolean => (s[CR4] & CR4_BITS.OSFXSR) !== 0;
export const hasVectors = (c: Cpu, o: Op): boolean => hasMxcsr(c) && !((c.s[EFER] & EFER_BITS.FFXSR) !== 0 && c.s[CPL] === 0 && !o.legacy);
