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

const bigAt = (image: Uint8Array, at: number, bytes: number): bigint => {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(image[at + i]);
  return value;
};

const putBig = (image: Uint8Array, at: number, bytes: number, value: bigint): void => {
  for (let i = 0; i < bytes; i++) image[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
};

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
    registers: Array.from({ length: 8 }, (_, n) => bigAt(image, REGISTERS + 16 * ((n - top) & 7), 10)),
    mxcsr: view.getUint32(24, true),
    xmm: Array.from({ length: 16 }, (_, n) => bigAt(image, XMM + 16 * n, 16)),
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
  for (const [n, value] of registers.entries()) putBig(image, REGISTERS + 16 * ((n - topOf(status)) & 7), 10, value);
  for (const [n, value] of xmm.entries()) putBig(image, XMM + 16 * n, 16, value);
  return image;
};
