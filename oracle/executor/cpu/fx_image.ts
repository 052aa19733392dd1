/** x87, MMX and SSE state from an image as FXSAVE of 64-bit mode writes it, without an instruction: what Xen gives a new vCPU. */
import type { Cpu } from './cpu.ts';
import { MXCSR, X87_TAG, XMM } from './layout.ts';
import { MXCSR_MASK } from './sse/special.ts';
import { setWords } from './x87/control.ts';
import { resetX87 } from './x87/image.ts';
import { placeOf } from './x87/unit.ts';

const MXCSR_AT_INIT = 0x1f80;
const AT = { CONTROL: 0, STATUS: 2, TAG: 4, MXCSR: 24, REGISTERS: 32, VECTORS: 160 } as const;
const VECTOR_WORDS = 64;

const reset = (c: Cpu): void => {
  resetX87(c);
  c.s.fill(0, XMM, XMM + VECTOR_WORDS);
  c.s[MXCSR] = MXCSR_AT_INIT;
};

/** @param image 512 bytes; null: the state after FNINIT, MXCSR 0x1f80. An MXCSR with reserved bits keeps the others, and spoils the rest. */
export const loadFxImage = (c: Cpu, image: Uint8Array | null): void => {
  reset(c);
  if (image === null) return;
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const mxcsr = view.getInt32(AT.MXCSR, true);
  c.s[MXCSR] = mxcsr & MXCSR_MASK;
  if ((mxcsr & ~MXCSR_MASK) !== 0) return;
  c.s[X87_TAG] = image[AT.TAG];
  setWords(c, view.getUint16(AT.CONTROL, true), view.getUint16(AT.STATUS, true));
  for (let i = 0; i < 8; i++) {
    const from = AT.REGISTERS + 16 * i;
    const to = placeOf(c, i);
    c.s[to] = view.getInt32(from, true);
    c.s[to + 1] = view.getInt32(from + 4, true);
    c.s[to + 2] = view.getUint16(from + 8, true);
  }
  for (let n = 0; n < VECTOR_WORDS; n++) c.s[XMM + n] = view.getInt32(AT.VECTORS + 4 * n, true);
};
