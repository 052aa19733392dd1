/** FXSAVE and FXRSTOR: x87 and SSE state as one image of 512 bytes. */
import type { Memory } from '../../../../memory/memory.ts';
import { fromBigInt, toBigInt } from '../../../../word/word.ts';
import { writeBlock } from '../../block.ts';
import { readWhole, writeWhole } from '../../fpu/image.ts';
import { stRegister } from '../../fpu/stack.ts';
import type { Fpu, Xmm } from '../../fpu/state.ts';
import { topOf, withControl } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { citing, completed, type Rules, type Running, type Semantics, withMemory } from '../../running.ts';
import { CR4 } from '../../system/state.ts';
import { registerAt } from '../x87/environment.ts';
import { MXCSR_MASK, requireMxcsr } from './mxcsr.ts';

/** Places in the image. */
export const IMAGE = { MXCSR: 24, MASK: 28, ST: 32, XMM: 160, BYTES: 512 } as const;
const SLOT = 16;

/** XMM registers that the mode has. */
export const xmmCount = ({ system: { mode } }: Running): number => (mode === '64' ? 16 : 8);

/** Control, status, abridged tags, registers from the top; pointers are zero. 160 bytes, MXCSR's eight being left out. */
export const putX87 = (image: Uint8Array, fpu: Fpu): void => {
  const view = new DataView(image.buffer);
  image.fill(0, 0, IMAGE.MXCSR);
  image.fill(0, IMAGE.ST, IMAGE.XMM);
  view.setUint16(0, fpu.control, true);
  view.setUint16(2, fpu.status, true);
  view.setUint8(4, fpu.tag);
  for (let n = 0; n < 8; n++) {
    const { top, significand } = stRegister(fpu, n);
    view.setBigUint64(IMAGE.ST + SLOT * n, toBigInt(significand), true);
    view.setUint16(IMAGE.ST + SLOT * n + 8, top, true);
  }
};

export const putMxcsr = (image: Uint8Array, fpu: Fpu): void => {
  const view = new DataView(image.buffer);
  view.setUint32(IMAGE.MXCSR, fpu.mxcsr, true);
  view.setUint32(IMAGE.MASK, MXCSR_MASK, true);
};

export const putXmm = (image: Uint8Array, { xmm }: Fpu, count: number): void => {
  const view = new DataView(image.buffer);
  for (let n = 0; n < count; n++) {
    view.setBigUint64(IMAGE.XMM + SLOT * n, toBigInt(xmm[n].lo), true);
    view.setBigUint64(IMAGE.XMM + SLOT * n + 8, toBigInt(xmm[n].hi), true);
  }
};

const viewOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset);

/** The x87 state of an image. */
export const x87From = (image: Uint8Array, fpu: Fpu): Fpu => {
  const view = viewOf(image);
  const status = view.getUint16(2, true);
  const top = topOf({ ...fpu, status });
  const registers = Array.from({ length: 8 }, (_, n) => registerAt(image, IMAGE.ST + SLOT * ((n - top) & 7)));
  return withControl({ ...fpu, status, tag: image[4], registers }, view.getUint16(0, true));
};

/** #GP(0) when the image's MXCSR has bits that do not exist. */
export const mxcsrFrom = (image: Uint8Array): number => {
  const mxcsr = viewOf(image).getUint32(IMAGE.MXCSR, true);
  requireMxcsr(mxcsr);
  return mxcsr;
};

export const xmmFrom = (image: Uint8Array, { xmm }: Fpu, count: number): readonly Xmm[] => {
  const view = viewOf(image);
  const word = (at: number) => fromBigInt(view.getBigUint64(at, true));
  return xmm.map((old, n) => (n < count ? { lo: word(IMAGE.XMM + SLOT * n), hi: word(IMAGE.XMM + SLOT * n + 8) } : old));
};

/** fp/fxsave-x87_only: without CR4.OSFXSR neither MXCSR nor XMM registers take part. */
const savesSse = ({ system: { cr4 } }: Running): boolean => (cr4 & CR4.OSFXSR) !== 0;

/** The memory with the x87 part of an image; MXCSR's bytes in its midst stay. */
const withX87Alone = (s: Running, i: Instruction): Memory => {
  const image = new Uint8Array(IMAGE.XMM);
  putX87(image, s.fpu);
  writeWhole(s, i, i.dst, image, 0, IMAGE.BYTES);
  const front = writeBlock(s, i, i.dst, image.subarray(0, IMAGE.MXCSR));
  return writeBlock(withMemory(s, front), i, i.dst, image.subarray(IMAGE.ST), IMAGE.ST);
};

/** fp/fxsave-image: what lies behind the last XMM register stays as it is. */
const fxsaveRule: Semantics = (s, i) => {
  if (!savesSse(s)) return completed(citing(s, 'fp/fxsave-x87_only'), i, { memory: withX87Alone(s, i) });
  const count = xmmCount(s);
  const image = new Uint8Array(IMAGE.XMM + SLOT * count);
  putX87(image, s.fpu);
  putMxcsr(image, s.fpu);
  putXmm(image, s.fpu, count);
  return completed(citing(s, 'fp/fxsave-image'), i, { memory: writeWhole(s, i, i.dst, image, 0, IMAGE.BYTES) });
};

const fxrstorRule: Semantics = (s, i) => {
  const image = readWhole(s, i, i.dst, IMAGE.BYTES);
  if (!savesSse(s)) return completed(citing(s, 'fp/fxsave-x87_only'), i, { fpu: x87From(image, s.fpu) });
  const mxcsr = mxcsrFrom(image);
  const fpu = x87From(image, s.fpu);
  return completed(s, i, { fpu: { ...fpu, mxcsr, xmm: xmmFrom(image, s.fpu, xmmCount(s)) } });
};

export const SAVE_RULES: Rules = { fxsave: fxsaveRule, fxrstor: fxrstorRule };
