/** XSAVE and its kin: the components x87 (0) and SSE (1), with a header that says which of them are there. */
import { toBigInt } from '../../../../word/word.ts';
import { readBlock, writeBlock } from '../../block.ts';
import { generalProtection } from '../../fault.ts';
import { type Fpu, FRESH_FPU } from '../../fpu/state.ts';
import type { Instruction } from '../../instruction.ts';
import { citing, completed, type Rules, type Running, type Semantics } from '../../running.ts';
import { RAX, RDX } from '../../state.ts';
import { IMAGE, mxcsrFrom, putMxcsr, putX87, putXmm, x87From, xmmCount, xmmFrom } from './save.ts';

const X87 = 1n;
const SSE = 2n;
const COMPACTED = 1n << 63n;
const HEADER = IMAGE.BYTES;
const XCOMP_BV = HEADER + 8;
const AREA = HEADER + 64;

const enabled = ({ system: { xcr0 } }: Running): bigint => toBigInt(xcr0);

/** The components that the instruction is about: those that EDX:EAX names and XCR0 enables. */
const requested = (s: Running): bigint => {
  const named = (BigInt(s.regs[RDX].lo >>> 0) << 32n) | BigInt(s.regs[RAX].lo >>> 0);
  return enabled(s) & named;
};

const isZeroXmm = ({ xmm }: Fpu): boolean => xmm.every(({ lo, hi }) => (lo.lo | lo.hi | hi.lo | hi.hi) === 0);
const isInitialX87 = ({ control, status, tag, registers }: Fpu): boolean =>
  control === FRESH_FPU.control &&
  (status | tag) === 0 &&
  registers.every(({ top, significand }) => (top | significand.lo | significand.hi) === 0);

/** fp/xsave-in_use: a component is in use when it holds anything but its initial values. */
const inUse = (fpu: Fpu): bigint => (isInitialX87(fpu) ? 0n : X87) | (isZeroXmm(fpu) ? 0n : SSE);

/** Write the components that `written` names into the legacy area; `mxcsr`: that register too. */
const putComponents = (image: Uint8Array, s: Running, written: bigint, mxcsr: boolean): void => {
  if (written & X87) putX87(image, s.fpu);
  if (mxcsr) putMxcsr(image, s.fpu);
  if (written & SSE) putXmm(image, s.fpu, xmmCount(s));
};

/**
 * The area as it is in memory, to be written back where nothing changes: an instruction writes less than it covers. Its first and its
 * last byte must be writable before anything is read.
 */
const areaOf = (s: Running, i: Instruction): Uint8Array => {
  writeBlock(s, i, i.dst, new Uint8Array(1));
  writeBlock(s, i, i.dst, new Uint8Array(1), AREA - 1);
  return readBlock(s, i, i.dst, AREA).slice();
};

const header = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset);

/** XSAVE writes what is asked for; XSAVEOPT leaves out what is not in use. */
const xsaveRule =
  (optimized: boolean): Semantics =>
  (s, i) => {
    const image = areaOf(s, i);
    const asked = requested(s);
    putComponents(image, s, optimized ? asked & inUse(s.fpu) : asked, (asked & SSE) !== 0n);
    const view = header(image);
    view.setBigUint64(HEADER, (view.getBigUint64(HEADER, true) & ~asked) | (asked & inUse(s.fpu)), true);
    return completed(citing(s, 'fp/xsave-in_use'), i, { memory: writeBlock(s, i, i.dst, image) });
  };

/** XSAVEC, XSAVES: only what is in use, with a header that is wholly new. */
const xsavecRule: Semantics = (s, i) => {
  const image = areaOf(s, i);
  const asked = requested(s);
  const used = asked & (inUse(s.fpu) | (s.fpu.mxcsr === FRESH_FPU.mxcsr ? 0n : SSE));
  putComponents(image, s, used, (used & SSE) !== 0n);
  header(image).setBigUint64(HEADER, used, true);
  header(image).setBigUint64(XCOMP_BV, COMPACTED | asked, true);
  return completed(citing(s, 'fp/xsavec-compacted'), i, { memory: writeBlock(s, i, i.dst, image) });
};

const requireHeader = (fits: boolean): void => {
  if (!fits) throw generalProtection(0, 'fp/xrstor-header');
};

const nothingIn = (image: Uint8Array, from: number, to: number): boolean => image.subarray(from, to).every((byte) => byte === 0);

/** The components that the header says are there, once the header has been found good. */
const presentIn = (image: Uint8Array, s: Running, compacted: boolean): bigint => {
  const present = header(image).getBigUint64(HEADER, true);
  const layout = header(image).getBigUint64(XCOMP_BV, true);
  if (!compacted) {
    requireHeader((present & ~enabled(s)) === 0n && nothingIn(image, XCOMP_BV, HEADER + 24));
    return present;
  }
  const held = layout & ~COMPACTED;
  requireHeader((held & ~enabled(s)) === 0n && (present & ~held) === 0n && nothingIn(image, HEADER + 16, AREA));
  return present;
};

/** Requested components that the header lacks get their initial values. */
const restored = (image: Uint8Array, s: Running, asked: bigint, present: bigint, compacted: boolean): Fpu => {
  let fpu = s.fpu;
  if (asked & X87) {
    const { control, status, tag, registers } = FRESH_FPU;
    fpu = present & X87 ? x87From(image, fpu) : { ...fpu, control, status, tag, registers };
  }
  if (asked & SSE) {
    const count = xmmCount(s);
    const xmm = present & SSE ? xmmFrom(image, s.fpu, count) : s.fpu.xmm.map((old, n) => (n < count ? FRESH_FPU.xmm[n] : old));
    const mxcsr = !compacted || present & SSE ? mxcsrFrom(image) : FRESH_FPU.mxcsr;
    fpu = { ...fpu, xmm, mxcsr };
  }
  return fpu;
};

/** XRSTOR takes either form of header, XRSTORS the compacted one only. The header is reached behind the first bytes. */
const xrstorRule =
  (compactedOnly: boolean): Semantics =>
  (s, i) => {
    readBlock(s, i, i.dst, 8);
    readBlock(s, i, i.dst, AREA - HEADER, HEADER);
    const image = readBlock(s, i, i.dst, AREA);
    const compacted = (header(image).getBigUint64(XCOMP_BV, true) & COMPACTED) !== 0n;
    requireHeader(compacted || !compactedOnly);
    const present = presentIn(image, s, compacted);
    return completed(s, i, { fpu: restored(image, s, requested(s), present, compacted) });
  };

export const XSAVE_RULES: Rules = {
  xsave: xsaveRule(false),
  xsaveopt: xsaveRule(true),
  xsavec: xsavecRule,
  xsaves: xsavecRule,
  xrstor: xrstorRule(false),
  xrstors: xrstorRule(true),
};
