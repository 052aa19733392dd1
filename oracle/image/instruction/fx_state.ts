/** The x87, MMX and SSE state of a case, as an FXSAVE image and taken apart. */
import { FX_BYTES } from './case.ts';

export type FxState = {
  readonly control: number;
  /** TOP in it. */
  readonly status: number;
  /** Bit n: physical register n is not empty. */
  readonly tag: number;
  /** Physical registers, 80 bits. */
  readonly registers: readonly bigint[];
  readonly mxcsr: number;
  /** XMM0 to XMM15, 128 bits. */
  readonly xmm: readonly bigint[];
};

/** Bits of MXCSR that AMD's processors have. */
const MXCSR_MASK = 0x2ffff;
const REGISTERS = 32;
const XMM = 160;

const topOf = (status: number): number => (status >> 11) & 7;

const LOW = 0xffffffffffffffffn;

const viewOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset, image.length);

/** An image has ST(0) first; the state counts physical registers. */
export const fxStateOf = (image: Uint8Array): FxState => {
  const view = viewOf(image);
  const status = view.getUint16(2, true);
  const top = topOf(status);
  return {
    control: view.getUint16(0, true),
    status,
    tag: image[4],
    registers: Array.from({ length: 8 }, (_, n) => {
      const at = REGISTERS + 16 * ((n - top) & 7);
      return (BigInt(view.getUint16(at + 8, true)) << 64n) | view.getBigUint64(at, true);
    }),
    mxcsr: view.getUint32(24, true),
    xmm: Array.from({ length: 16 }, (_, n) => (view.getBigUint64(XMM + 16 * n + 8, true) << 64n) | view.getBigUint64(XMM + 16 * n, true)),
  };
};

/** With the pointers of the last instruction zero. */
export const fxImageOf = ({ control, status, tag, registers, mxcsr, xmm }: FxState): Uint8Array => {
  const image = new Uint8Array(FX_BYTES);
  const view = viewOf(image);
  view.setUint16(0, control, true);
  view.setUint16(2, status, true);
  image[4] = tag;
  view.setUint32(24, mxcsr, true);
  view.setUint32(28, MXCSR_MASK, true);
  for (const [n, value] of registers.entries()) {
    const at = REGISTERS + 16 * ((n - topOf(status)) & 7);
    view.setBigUint64(at, value & LOW, true);
    view.setUint16(at + 8, Number(value >> 64n), true);
  }
  for (const [n, value] of xmm.entries()) {
    view.setBigUint64(XMM + 16 * n, value & LOW, true);
    view.setBigUint64(XMM + 16 * n + 8, value >> 64n, true);
  }
  return image;
};

const same = (a: Uint8Array, b: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (a[at] !== b[at]) return false;
  return true;
};

/** Whether two images hold the same state, whatever they say of the last instruction and where nothing is defined. */
export const sameFx = (a: Uint8Array, b: Uint8Array): boolean => {
  if (!same(a, b, 0, 5) || !same(a, b, 24, 28) || !same(a, b, XMM, XMM + 256)) return false;
  for (let at = REGISTERS; at < XMM; at += 16) if (!same(a, b, at, at + 10)) return false;
  return true;
};
