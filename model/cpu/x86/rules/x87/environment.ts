/** FNSTENV, FNSAVE and their way back: the x87 state in memory, in words of 16 or 32 bits. */
import { fromBigInt } from '../../../../word/word.ts';
import { readWhole, writeWhole } from '../../fpu/image.ts';
import { stRegister } from '../../fpu/stack.ts';
import type { Extended, Fpu } from '../../fpu/state.ts';
import { abridged, tagWord, topOf, withControl } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { citing, type Rules, type Semantics, withFpu } from '../../running.ts';
import { initialized } from './control.ts';

/** Bytes of a word of the environment: control, status, tags, and the last instruction's pointers in four more. */
const wordBytes = (i: Instruction): 2 | 4 => (i.size === 2 ? 2 : 4);
const WORDS = 7;
const REGISTER_BYTES = 10;

/** The upper halves of 32-bit words that say nothing: after control, status and tags, and after the data segment. */
const FILLED: readonly number[] = [0, 1, 2, 6];

/** The words before the registers; pointers of the last instruction read as 0. */
const environment = (fpu: Fpu, bytes: 2 | 4): Uint8Array => {
  const image = new Uint8Array(WORDS * bytes);
  const view = new DataView(image.buffer);
  for (const [n, word] of [fpu.control, fpu.status, tagWord(fpu)].entries()) view.setUint16(n * bytes, word, true);
  if (bytes === 4) for (const n of FILLED) view.setUint16(n * 4 + 2, 0xffff, true);
  return image;
};

/** FNSTENV: afterwards all exceptions are masked. */
const fnstenvRule: Semantics = (s, i) => {
  const memory = writeWhole(s, i, i.dst, environment(s.fpu, wordBytes(i)), wordBytes(i));
  const cited = citing(citing(s, 'fp/x87-environment'), 'fp/x87-pointers_zero');
  return withFpu(cited, i, withControl(s.fpu, s.fpu.control | 0x3f), memory);
};

/** ST(0) to ST(7) follow the environment. */
const registersImage = (fpu: Fpu): Uint8Array => {
  const image = new Uint8Array(8 * REGISTER_BYTES);
  const view = new DataView(image.buffer);
  for (let n = 0; n < 8; n++) {
    const { top, significand } = stRegister(fpu, n);
    view.setInt32(n * REGISTER_BYTES, significand.lo, true);
    view.setInt32(n * REGISTER_BYTES + 4, significand.hi, true);
    view.setUint16(n * REGISTER_BYTES + 8, top, true);
  }
  return image;
};

/** FNSAVE: environment and registers, then as FNINIT. */
const fnsaveRule: Semantics = (s, i) => {
  const head = environment(s.fpu, wordBytes(i));
  const image = new Uint8Array(head.length + 8 * REGISTER_BYTES);
  image.set(head);
  image.set(registersImage(s.fpu), head.length);
  return withFpu(s, i, initialized(s.fpu), writeWhole(s, i, i.dst, image, wordBytes(i)));
};

/** Control, status and tags from an image; ES and B follow from the others. */
const withEnvironment = (fpu: Fpu, image: Uint8Array, bytes: 2 | 4): Fpu => {
  const view = new DataView(image.buffer, image.byteOffset);
  const [control, status, tags] = [0, 1, 2].map((n) => view.getUint16(n * bytes, true));
  return withControl({ ...fpu, status, tag: abridged(tags) }, control);
};

const fldenvRule: Semantics = (s, i) => {
  const bytes = wordBytes(i);
  return withFpu(citing(s, 'fp/image-last_first'), i, withEnvironment(s.fpu, readWhole(s, i, i.dst, WORDS * bytes, bytes), bytes));
};

const frstorRule: Semantics = (s, i) => {
  const bytes = wordBytes(i);
  const head = WORDS * bytes;
  const image = readWhole(s, i, i.dst, head + 8 * REGISTER_BYTES, bytes);
  const fpu = withEnvironment(s.fpu, image, bytes);
  const top = topOf(fpu);
  const registers = Array.from({ length: 8 }, (_, n) => registerAt(image, head + ((n - top) & 7) * REGISTER_BYTES));
  return withFpu(s, i, { ...fpu, registers });
};

/** The register whose ten bytes begin at `at`. */
export const registerAt = (image: Uint8Array, at: number): Extended => {
  const view = new DataView(image.buffer, image.byteOffset + at);
  return { top: view.getUint16(8, true), significand: fromBigInt(view.getBigUint64(0, true)) };
};

export const ENVIRONMENT_RULES: Rules = { fnstenv: fnstenvRule, fnsave: fnsaveRule, fldenv: fldenvRule, frstor: frstorRule };
