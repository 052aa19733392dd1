/** FXSAVE, FXRSTOR, the XSAVE family with the components x87 (bit 0) and SSE (bit 1). Intel SDM volume 1, 10.5 and chapter 13. */
import { next } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { RAX } from '../interface.ts';
import { MXCSR, X87, X87_CONTROL, X87_STATUS, X87_TAG, XCR0, XMM } from '../layout.ts';
import type { Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import * as image from './image.ts';

/** An instruction on an area of memory; `piece` reaches its parts. */
type InArea = (c: Cpu, o: Op, piece: Op) => Op;

const fxsave: InArea = (c, o, piece) => {
  image.checkWritable(c, o, piece, image.FXSAVE_BYTES);
  image.saveX87(c, piece);
  if (image.hasMxcsr(c)) image.saveMxcsr(c, piece);
  if (image.hasVectors(c, piece)) image.saveVectors(c, piece);
  return next(c, o);
};
const fxrstor: InArea = (c, o, piece) => {
  image.checkReadable(c, o, piece, image.FXSAVE_BYTES);
  const mxcsr = image.hasMxcsr(c) ? image.checkedMxcsr(c, piece) : c.s[MXCSR];
  image.restoreX87(c, piece);
  c.s[MXCSR] = mxcsr;
  if (image.hasVectors(c, piece)) image.restoreVectors(c, piece);
  return o.next;
};

const X87_BIT = 1;
const SSE_BIT = 2;
const AVX_BIT = 4;
const HEADER = 512;
const XSAVE_BYTES = HEADER + 64;
const MXCSR_AT_INIT = 0x1f80;

/** Components that the instruction asks for and the kernel allows. */
const requested = ({ s }: Cpu): number => s[XCR0] & s[2 * RAX];

const isClear = (s: Int32Array, from: number, to: number): boolean => {
  for (let n = from; n < to; n++) if (s[n] !== 0) return false;
  return true;
};
/** Components that are not as after initialisation. */
const inUse = ({ s }: Cpu, o: Op): number => {
  const x87 = s[X87_CONTROL] !== 0x37f || s[X87_STATUS] !== 0 || s[X87_TAG] !== 0 || !isClear(s, X87, X87 + 32);
  const sse = !isClear(s, XMM, XMM + 4 * image.vectorCount(o));
  return (x87 ? X87_BIT : 0) | (sse ? SSE_BIT : 0);
};

/** The components of `which` into the area. */
const saveComponents = (c: Cpu, o: Op, which: number): void => {
  if ((which & X87_BIT) !== 0) image.saveX87(c, o);
  if ((which & SSE_BIT) !== 0) image.saveVectors(c, o);
};

/** `optimize`: components in their initial state are not written. */
const xsave =
  (optimize: boolean): InArea =>
  (c, o, piece) => {
    image.checkWritable(c, o, piece, XSAVE_BYTES);
    const wanted = requested(c);
    const used = inUse(c, piece);
    saveComponents(c, piece, optimize ? wanted & used : wanted);
    if ((wanted & (SSE_BIT | AVX_BIT)) !== 0) image.saveMxcsr(c, piece);
    const p = image.toWrite(c, piece, HEADER);
    c.dv.setUint32(p, (c.dv.getUint32(p, true) & ~wanted) | (wanted & used), true);
    return next(c, o);
  };

/** The compacted form. MXCSR counts as part of SSE here. */
const xsavec: InArea = (c, o, piece) => {
  image.checkWritable(c, o, piece, XSAVE_BYTES);
  const wanted = requested(c);
  const used = inUse(c, piece) | (c.s[MXCSR] !== MXCSR_AT_INIT ? SSE_BIT : 0);
  const saved = wanted & used;
  saveComponents(c, piece, saved);
  if ((saved & SSE_BIT) !== 0) image.saveMxcsr(c, piece);
  const p = image.toWrite(c, piece, HEADER);
  c.dv.setBigUint64(p, BigInt(saved), true);
  c.dv.setBigUint64(p + 8, BigInt(wanted) | (1n << 63n), true);
  return next(c, o);
};

const COMPACTED = 1n << 63n;
type Header = { readonly present: number; readonly compacted: boolean };

/** Which components an area has; what no XSAVE writes is #GP(0). */
const readHeader = (c: Cpu, o: Op): Header => {
  const p = image.toRead(c, o, HEADER);
  const present = c.dv.getBigUint64(p, true);
  const layout = c.dv.getBigUint64(p + 8, true);
  const compacted = (layout & COMPACTED) !== 0n;
  const allowed = BigInt(c.s[XCR0]);
  const known = compacted ? layout & ~COMPACTED : allowed;
  const pieces = compacted ? [16, 32, 48] : [16];
  let reserved = compacted ? 0n : layout;
  for (const offset of pieces) {
    const at = image.toRead(c, o, HEADER + offset);
    reserved |= c.dv.getBigUint64(at, true) | (compacted ? c.dv.getBigUint64(at + 8, true) : 0n);
  }
  if ((known & ~allowed) !== 0n || (present & ~known) !== 0n || reserved !== 0n) c.fault(GP, 0);
  return { present: Number(present), compacted };
};

const xrstor: InArea = (c, o, piece) => {
  image.checkReadable(c, o, piece, XSAVE_BYTES);
  const { present, compacted } = readHeader(c, piece);
  const wanted = requested(c);
  const given = wanted & present;
  const mxcsr = restoredMxcsr(c, piece, wanted, given, compacted);
  if ((given & X87_BIT) !== 0) image.restoreX87(c, piece);
  else if ((wanted & X87_BIT) !== 0) image.resetX87(c);
  if ((given & SSE_BIT) !== 0) image.restoreVectors(c, piece);
  else if ((wanted & SSE_BIT) !== 0) image.resetVectors(c, piece);
  c.s[MXCSR] = mxcsr;
  return o.next;
};

/** The standard form has MXCSR with SSE and AVX, whether they are present or not; the compacted form with SSE. */
const restoredMxcsr = (c: Cpu, o: Op, wanted: number, given: number, compacted: boolean): number => {
  if (!compacted) return (wanted & (SSE_BIT | AVX_BIT)) !== 0 ? image.checkedMxcsr(c, o) : c.s[MXCSR];
  if ((wanted & SSE_BIT) === 0) return c.s[MXCSR];
  return (given & SSE_BIT) !== 0 ? image.checkedMxcsr(c, o) : MXCSR_AT_INIT;
};

const area =
  (handler: InArea): Build =>
  (o) => {
    const piece = image.pieceOf(o);
    return (c, each) => handler(c, each, piece);
  };

export const STATE: BuildTable = {
  fxsave: area(fxsave),
  fxrstor: area(fxrstor),
  xsave: area(xsave(false)),
  xsaveopt: area(xsave(true)),
  xsavec: area(xsavec),
  xrstor: area(xrstor),
};
